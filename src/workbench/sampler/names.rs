//! Which names of a CRM may be repeated.

use crate::detect::Kind;
use crate::dialect::Modules;
use crate::dialect::schema::{FieldSchema, Holds, LinkSchema};
use crate::vocabulary::{Field, FieldPath};

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;

/// Whether something is a name: of a field, a module, a type. A CRM may send anything: what is no name, or proves to be an
/// identifier, is never repeated.
pub fn is_name(name: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let proves = |kind: &Kind| kind.has_checksum() && kind.is_valid(name);
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(is_fit)
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !Kind::IDENTIFIERS.iter().any(proves)
}

/// What is said of modules, without what cannot be repeated.
pub(super) fn named(said: &Modules) -> Modules {
    let mut named = Modules::default();
    for (module, told) in said.iter().filter(|(module, _)| is_name(module.as_str())) {
        let mut told = told.clone();
        told.table = told.table.filter(|table| is_name(table));
        told.fields
            .retain(|name, field| is_name(name.as_str()) && copies_named(&field.holds));
        told.fields.values_mut().for_each(without_odd_type);
        told.links.retain(is_link);
        if let Some(entry) = named.entry(module) {
            *entry = told;
        }
    }
    named
}

fn without_odd_type(field: &mut FieldSchema) {
    field.kind = field.kind.take().filter(|kind| is_name(kind));
}

fn copies_named(holds: &Holds) -> bool {
    let is_named = |path: &FieldPath| is_name(path.module.as_str()) && is_name(path.field.as_str());
    match holds {
        Holds::Copy(paths) => paths.iter().all(is_named),
        Holds::Own | Holds::Secret => true,
    }
}

fn is_link(_: &Field, link: &mut LinkSchema) -> bool {
    let names = [
        Some(link.name.as_str()),
        link.relationship.as_deref(),
        link.target.as_ref().map(|target| target.as_str()),
    ];
    names.into_iter().flatten().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Module;

    #[test]
    fn what_proves_to_be_an_identifier_is_no_name() {
        const IBAN: &str = "FR7630006000011234567890189";
        for odd in ["", "a b", "é", "123", "a.b", IBAN] {
            assert!(!is_name(odd), "{odd}");
        }
        let mut said = Modules::default();
        said.entry(&Module::new(IBAN));
        let told = said.entry(&Module::new("Boats")).unwrap();
        let field = |kind: &str| FieldSchema {
            kind: Some(kind.to_owned()),
            holds: Holds::Own,
        };
        told.fields.insert(Field::fold("a_c"), field(IBAN));
        told.fields.insert(Field::fold(IBAN), field("int"));
        told.links.insert(
            Field::fold("l"),
            LinkSchema {
                relationship: Some(IBAN.to_owned()),
                ..LinkSchema::named("l")
            },
        );
        let kept = named(&said);
        assert_eq!(kept.iter().count(), 1);
        let boats = kept.get(&Module::new("Boats")).unwrap();
        assert_eq!((boats.fields.len(), boats.links.len()), (1, 0));
        assert_eq!(boats.fields[&Field::fold("a_c")].kind, None);
    }
}
