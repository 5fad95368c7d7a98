//! `Debug` output of requests and answers: their form, never a value that somebody sent.

use std::fmt;

use serde_json::{Map, Value};

use super::{Incoming, Operation, Outgoing, Predicate, Query, Rendering, Session};

/// The keys of an object whose values stay unseen.
struct Keys<'a>(&'a Map<String, Value>);

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("method", self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .field("body_bytes", &self.body.as_ref().map(|body| body.len()))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("action", &self.action)
            .field("access", &self.access)
            .field("route", &self.route)
            .field("version", &self.version)
            .field("module", &self.module)
            .field("record", &self.record)
            .field("link", &self.link)
            .field("related", &self.related)
            .field("query", &self.query)
            .field("write", &self.write.as_ref().map(Keys))
            .field("rendering", &self.rendering)
            .finish()
    }
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendering")
            .field("form", &self.form)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("controls", &self.controls)
            .field("in_body", &self.in_body)
            .field("fixed", &Keys(&self.fixed))
            .finish()
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("projection", &self.projection)
            .field("predicate", &self.predicate)
            .field("order", &self.order)
            .field("searches", &self.search.is_some())
            .field("limit", &self.limit)
            .field("offset", &self.offset)
            .field("about_caller", &self.about_caller)
            .field("beside", &self.beside)
            .field("compared", &self.compared)
            .finish()
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => f.debug_tuple("All").field(parts).finish(),
            Self::Any(parts) => f.debug_tuple("Any").field(parts).finish(),
            Self::Not(part) => f.debug_tuple("Not").field(part).finish(),
            Self::Field { path, operator, .. } => f
                .debug_struct("Field")
                .field("path", path)
                .field("operator", operator)
                .finish_non_exhaustive(),
            Self::Caller { word, argument } => f
                .debug_struct("Caller")
                .field("word", word)
                .field("argument", argument)
                .finish(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("roles", &self.roles)
            .field("teams", &self.teams)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::testing::Speaks as _;
    use http::Method;
    use serde_json::json;

    use super::super::{Bounds, Incoming, Understood, sugar_rest};

    #[test]
    fn debug_output_shows_no_value_of_a_request() {
        let body = json!({"grant_type": "password", "username": "canary", "password": "canary"});
        let body = body.to_string();
        let bounds = Bounds {
            page_max: 10,
            bulk_parts_max: 10,
            depth_max: 20,
        };
        let login = Incoming {
            method: &Method::POST,
            path: "/rest/v11/oauth2/token",
            query: None,
            accept: None,
            content_type: None,
            controls: &[],
            body: body.as_bytes(),
        };
        let filter = Incoming {
            method: &Method::GET,
            path: "/rest/v11/Contacts",
            query: Some("filter[0][last_name]=canary&q="),
            body: b"",
            ..login
        };
        for request in [login, filter] {
            let understood = sugar_rest::described().meaning(&request, &bounds).unwrap();
            let Understood::One(operation) = &understood else {
                panic!("not one operation")
            };
            let outgoing = sugar_rest::described().render(operation);
            assert!(
                format!("{:?}", outgoing.body).contains("canary")
                    || outgoing.target.contains("canary")
            );
            assert!(!format!("{request:?}{understood:?}{outgoing:?}").contains("canary"));
        }
    }
}
