//! The modules of the CRM: their fields, in the order in which a record shows them, and their links.

use serde_json::{Map, Value, json};

/// A module: its fields, and which of them its search looks into.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) name: &'static str,
    fields: &'static [&'static [Field]],
    /// What `q` looks into. Each word of a search must begin a word of one of these.
    pub(super) searched: &'static [&'static str],
    /// A field without which no record is made.
    pub(super) required: &'static str,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What a new record holds if nothing is said.
    pub(super) default: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A short text of at most 255 characters, a long one, a choice.
    Text,
    Long,
    Enum(&'static [&'static str]),
    Bool,
    Number,
    Date,
    /// A date and time.
    Stamp,
    /// Lists: of words, of tags or teams (objects).
    Words,
    Objects,
    /// The id of another record, or the CRM's own: not checked.
    Id,
    /// Set by the CRM only: stamps, owners of changes, password hashes.
    Own,
    /// Mail addresses, and what follows from them.
    Mail,
    Mail1,
    Mail2,
    MailFlag(&'static str),
    MailRest,
    NameAndMail,
    /// First and last name, without and with the salutation.
    PersonName,
    FullName,
    /// The name of the record that this link leads to.
    NameOf(&'static str),
    /// The record that this link leads to, as an object with its name.
    One(&'static str),
    /// The name of the parent, whose module `parent_type` tells.
    ParentName,
    /// About the caller.
    Favorite,
    Following,
}

/// A link from one module to another.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    pub(super) via: Via,
}

/// Where a relation is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// In this column of the record that has the link.
    Own(&'static str),
    /// In this column of the record that the link leads to.
    Theirs(&'static str),
    /// In `parent_type` and `parent_id` of the record that the link leads to, or that has it.
    TheirParent,
    OwnParent,
    /// In a table of pairs, as its left or its right side.
    Left(&'static str),
    Right(&'static str),
}

const fn f(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        default: "",
    }
}

const fn d(name: &'static str, kind: Kind, default: &'static str) -> Field {
    Field {
        name,
        kind,
        default,
    }
}

use Kind::*;

#[rustfmt::skip]
const HEAD: &[Field] = &[
    f("date_entered", Own), f("date_modified", Own),
    f("modified_user_id", Own), f("modified_by_name", NameOf("modified_user_link")), f("modified_user_link", One("modified_user_link")),
    f("created_by", Own), f("created_by_name", NameOf("created_by_link")), f("created_by_link", One("created_by_link")),
    f("description", Long), f("deleted", Bool),
];

#[rustfmt::skip]
const PERSON: &[Field] = &[
    d("salutation", Enum(&["", "M.", "Mme", "Mr.", "Ms.", "Dr."]), ""), f("first_name", Text), f("last_name", Text), f("full_name", FullName),
    f("title", Text), f("facebook", Text), f("twitter", Text), f("googleplus", Text), f("department", Text), f("do_not_call", Bool),
    f("phone_home", Text), f("phone_mobile", Text), f("phone_work", Text), f("phone_other", Text), f("phone_fax", Text),
    f("primary_address_street", Text), f("primary_address_city", Text), f("primary_address_state", Text),
    f("primary_address_postalcode", Text), f("primary_address_country", Text),
    f("alt_address_street", Text), f("alt_address_city", Text), f("alt_address_state", Text),
    f("alt_address_postalcode", Text), f("alt_address_country", Text),
    f("assistant", Text), f("assistant_phone", Text), f("picture", Own), f("email_and_name1", NameAndMail),
    f("lead_source", Enum(&["", "Cold Call", "Existing Customer", "Self Generated", "Partner", "Trade Show", "Web Site", "Campaign", "Other"])),
];

#[rustfmt::skip]
const CONSENT: &[Field] = &[
    f("preferred_language", Text), f("cookie_consent", Bool), f("cookie_consent_received_on", Stamp),
    f("business_center_name", Own), f("business_center_id", Id),
    f("dp_business_purpose", Words), f("dp_consent_last_updated", Date),
    f("campaign_id", Id), f("campaign_name", Own),
];

#[rustfmt::skip]
const TAIL: &[Field] = &[
    f("tag", Objects), f("locked_fields", Words), f("sync_key", Text), f("following", Following), f("my_favorite", Favorite),
    f("assigned_user_id", Id), f("assigned_user_name", NameOf("assigned_user_link")), f("assigned_user_link", One("assigned_user_link")),
    f("team_count", Own), f("team_name", Objects),
];

#[rustfmt::skip]
const MAIL: &[Field] = &[
    f("email", Mail), f("email1", Mail1), f("email2", Mail2), f("invalid_email", MailFlag("invalid_email")),
    f("email_opt_out", MailFlag("opt_out")), f("email_addresses_non_primary", MailRest),
];

const PERSON_ID: &[Field] = &[f("id", Own), f("name", PersonName)];
const NAMED_ID: &[Field] = &[f("id", Own), f("name", Text)];

#[rustfmt::skip]
const CONTACT: &[Field] = &[
    f("account_name", NameOf("accounts")), f("account_id", Id), f("accounts", One("accounts")), f("dnb_principal_id", Text),
    f("opportunity_role_fields", Own), f("opportunity_role_id", Own), f("opportunity_role", Own),
    f("reports_to_id", Id), f("report_to_name", NameOf("reports_to_link")), f("birthdate", Date),
    f("portal_name", Text), f("portal_active", Bool), f("portal_password", Own), f("portal_password1", Own), f("portal_app", Text),
    f("portal_user_company_name", Text), f("c_accept_status_fields", Own), f("m_accept_status_fields", Own),
    f("accept_status_id", Own), f("accept_status_name", Own), f("sync_contact", Bool),
];

#[rustfmt::skip]
const CONTACT_CUSTOM: &[Field] = &[
    f("denorm_account_name", NameOf("accounts")),
    f("iban_c", Text), f("bic_c", Text), f("nir_c", Text), f("health_notes_c", Long),
    f("religion_c", Enum(&["", "catholique", "protestante", "juive", "musulmane", "bouddhiste", "sans religion"])),
    f("union_member_c", Bool),
];

#[rustfmt::skip]
const ACCOUNT: &[Field] = &[
    f("account_type", Enum(&["", "Customer", "Prospect", "Partner", "Supplier", "Other"])),
    f("industry", Enum(&["", "Food", "Construction", "Textile", "Transport", "Energy", "Services"])),
    f("annual_revenue", Text), f("employees", Text), f("ownership", Text), f("rating", Text), f("ticker_symbol", Text),
    f("phone_office", Text), f("phone_alternate", Text), f("phone_fax", Text), f("website", Text),
    f("billing_address_street", Text), f("billing_address_city", Text), f("billing_address_state", Text),
    f("billing_address_postalcode", Text), f("billing_address_country", Text),
    f("shipping_address_street", Text), f("shipping_address_city", Text), f("shipping_address_state", Text),
    f("shipping_address_postalcode", Text), f("shipping_address_country", Text),
    f("parent_id", Id), f("sic_code", Text), f("duns_num", Text), f("campaign_id", Id), f("campaign_name", Own),
];

#[rustfmt::skip]
const LEAD: &[Field] = &[
    d("status", Enum(&["New", "Assigned", "In Process", "Converted", "Recycled", "Dead"]), "New"), f("status_description", Long),
    f("lead_source_description", Long), f("refered_by", Text), f("converted", Bool), f("birthdate", Date),
    f("account_name", Text), f("account_description", Long), f("account_id", Id), f("contact_id", Id),
    f("opportunity_name", Text), f("opportunity_amount", Text), f("website", Text),
];

#[rustfmt::skip]
const CASE: &[Field] = &[
    f("case_number", Number), d("type", Enum(&["Administration", "Product", "User"]), "Administration"),
    d("status", Enum(&["New", "Assigned", "Closed", "Pending Input", "Rejected", "Duplicate"]), "New"),
    d("priority", Enum(&["P1", "P2", "P3"]), "P2"), f("resolution", Long), f("work_log", Long),
    d("source", Enum(&["", "Internal", "Forum", "Web", "InboundEmail"]), "Internal"),
    f("account_name", NameOf("accounts")), f("account_id", Id), f("accounts", One("accounts")),
    f("primary_contact_id", Id), f("primary_contact_name", NameOf("primary_contact_link")),
    f("portal_viewable", Bool), f("follow_up_datetime", Stamp), f("resolved_datetime", Stamp),
];

#[rustfmt::skip]
const NOTE: &[Field] = &[
    f("file_mime_type", Own), f("file_ext", Own), f("file_size", Own), f("filename", Own), f("portal_flag", Bool), f("embed_flag", Bool),
    f("parent_type", Enum(&["", "Contacts", "Accounts", "Leads", "Cases"])), f("parent_id", Id), f("parent_name", ParentName),
    f("contact_id", Id), f("contact_name", NameOf("contact")), f("contact", One("contact")),
];

#[rustfmt::skip]
const USER: &[Field] = &[
    f("id", Own), f("name", PersonName), f("date_entered", Own), f("date_modified", Own), f("user_name", Own),
    f("first_name", Text), f("last_name", Text), f("full_name", FullName), f("title", Text), f("department", Text),
    f("phone_work", Text), f("phone_mobile", Text), d("status", Enum(&["Active", "Inactive"]), "Active"),
    d("employee_status", Enum(&["Active", "Terminated"]), "Active"), f("is_admin", Own), f("description", Long), f("deleted", Bool),
];

/// Every module.
#[rustfmt::skip]
pub(super) const MODULES: &[Module] = &[
    Module { name: "Accounts", fields: &[NAMED_ID, HEAD, ACCOUNT, TAIL, MAIL], searched: &["name", "email"], required: "name" },
    Module { name: "Cases", fields: &[NAMED_ID, HEAD, CASE, TAIL], searched: &["name", "account_name"], required: "name" },
    Module { name: "Contacts", fields: &[PERSON_ID, HEAD, PERSON, CONTACT, CONSENT, TAIL, MAIL, CONTACT_CUSTOM], searched: &["first_name", "last_name", "email"], required: "last_name" },
    Module { name: "Leads", fields: &[PERSON_ID, HEAD, PERSON, LEAD, CONSENT, TAIL, MAIL], searched: &["first_name", "last_name", "email", "account_name"], required: "last_name" },
    Module { name: "Notes", fields: &[NAMED_ID, HEAD, NOTE, TAIL], searched: &["name"], required: "name" },
    Module { name: "Users", fields: &[USER, MAIL], searched: &["first_name", "last_name", "email"], required: "last_name" },
];

const fn link(module: &'static str, name: &'static str, target: &'static str, via: Via) -> Link {
    Link {
        module,
        name,
        target,
        via,
    }
}

/// Every link. The module `*` stands for every module.
#[rustfmt::skip]
const LINKS: &[Link] = &[
    link("*", "assigned_user_link", "Users", Via::Own("assigned_user_id")),
    link("*", "created_by_link", "Users", Via::Own("created_by")),
    link("*", "modified_user_link", "Users", Via::Own("modified_user_id")),
    link("Contacts", "accounts", "Accounts", Via::Own("account_id")),
    link("Contacts", "reports_to_link", "Contacts", Via::Own("reports_to_id")),
    link("Contacts", "cases", "Cases", Via::Left("contacts_cases")),
    link("Contacts", "notes", "Notes", Via::TheirParent),
    link("Accounts", "contacts", "Contacts", Via::Theirs("account_id")),
    link("Accounts", "cases", "Cases", Via::Theirs("account_id")),
    link("Accounts", "leads", "Leads", Via::Theirs("account_id")),
    link("Accounts", "notes", "Notes", Via::TheirParent),
    link("Leads", "accounts", "Accounts", Via::Own("account_id")),
    link("Leads", "cases", "Cases", Via::Left("leads_cases")),
    link("Leads", "notes", "Notes", Via::TheirParent),
    link("Cases", "accounts", "Accounts", Via::Own("account_id")),
    link("Cases", "primary_contact_link", "Contacts", Via::Own("primary_contact_id")),
    link("Cases", "contacts", "Contacts", Via::Right("contacts_cases")),
    link("Cases", "leads", "Leads", Via::Right("leads_cases")),
    link("Cases", "notes", "Notes", Via::TheirParent),
    link("Notes", "contact", "Contacts", Via::Own("contact_id")),
    link("Notes", "contacts", "Contacts", Via::OwnParent),
    link("Notes", "accounts", "Accounts", Via::OwnParent),
    link("Notes", "leads", "Leads", Via::OwnParent),
    link("Notes", "cases", "Cases", Via::OwnParent),
];

/// The module of this name. Case matters.
pub(super) fn module(name: &str) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.name == name)
}

impl Module {
    /// All fields, in the order of a record.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.fields.iter().copied().flatten()
    }

    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    pub(super) fn link(&self, name: &str) -> Option<&'static Link> {
        self.links().find(|link| link.name == name)
    }

    fn links(&self) -> impl Iterator<Item = &'static Link> + use<> {
        let own = self.name;
        LINKS
            .iter()
            .filter(move |link| link.module == own || (link.module == "*" && own != "Users"))
    }

    /// The module as `/metadata` describes it.
    pub(super) fn described(&self) -> Value {
        let mut fields: Map<String, Value> = self
            .fields()
            .map(|field| (field.name.to_owned(), self.described_field(field)))
            .collect();
        for link in self.links() {
            fields.entry(link.name).or_insert_with(|| {
                json!({
                    "name": link.name, "vname": label(link.name), "type": "link", "source": "non-db",
                    "relationship": relationship(link), "module": link.target,
                })
            });
        }
        json!({"fields": fields, "favoritesEnabled": true, "dupecheck": {"enabled": false}, "isBwcEnabled": false})
    }

    fn described_field(&self, field: &Field) -> Value {
        let mut told =
            json!({"name": field.name, "vname": label(field.name), "type": field.kind.word()});
        match field.kind {
            Enum(options) => told["options_list"] = json!(options),
            Text => told["len"] = json!(255),
            NameOf(via) | One(via) => {
                if let Some(link) = self.link(via) {
                    told["source"] = json!("non-db");
                    told["link"] = json!(via);
                    told["module"] = json!(link.target);
                    told["relationship"] = json!(relationship(link));
                }
            }
            _ => {}
        }
        if !field.default.is_empty() {
            told["default"] = json!(field.default);
        } else if field.kind == Bool {
            told["default"] = json!(false);
        }
        if field.name == self.required {
            told["required"] = json!(true);
        }
        if field.name.ends_with("_c") {
            told["source"] = json!("custom_fields");
        }
        if self.searched.contains(&field.name) {
            told["full_text_search"] = json!({"enabled": true, "searchable": true});
        }
        told
    }
}

fn label(name: &str) -> String {
    format!("LBL_{}", name.to_ascii_uppercase())
}

/// The name of the relation behind a link.
fn relationship(link: &Link) -> String {
    match link.via {
        Via::Left(pairs) | Via::Right(pairs) => pairs.to_owned(),
        Via::Own(_) | Via::OwnParent => format!("{}_{}", link.target, link.name).to_lowercase(),
        Via::Theirs(_) | Via::TheirParent => {
            format!("{}_{}", link.module, link.name).to_lowercase()
        }
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Long => "text",
            Enum(_) => "enum",
            Bool | MailFlag(_) | Favorite | Following => "bool",
            Number => "int",
            Date => "date",
            Stamp => "datetime",
            Words => "multienum",
            Objects => "tag",
            Id => "id",
            Mail => "email",
            PersonName | FullName => "fullname",
            NameOf(_) | ParentName => "relate",
            One(_) => "link",
            Text | Own | Mail1 | Mail2 | MailRest | NameAndMail => "varchar",
        }
    }
}
