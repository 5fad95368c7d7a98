//! The CRMs of SugarCRM's family as they are delivered: the files beside this one, read once.

use std::sync::{Arc, LazyLock};

use super::Stock;
use super::read::Layer;

// What several have is read once.
static FAMILY: LazyLock<Layer> = LazyLock::new(|| Layer::read(include_str!("family.yaml")));
static SUITECRM: LazyLock<Layer> = LazyLock::new(|| Layer::read(include_str!("suitecrm.yaml")));

static SUGAR_REST: LazyLock<Arc<Stock>> = LazyLock::new(|| {
    let own = Layer::read(include_str!("sugarcrm.yaml"));
    Arc::new(Stock::of_layers("sugar-rest", &[&FAMILY, &own]))
});
static SUGAR_V4: LazyLock<Arc<Stock>> = LazyLock::new(|| {
    let own = Layer::read(include_str!("sugar-v4.yaml"));
    Arc::new(Stock::of_layers("sugar-v4", &[&FAMILY, &SUITECRM, &own]))
});
static SUITECRM_V8: LazyLock<Arc<Stock>> = LazyLock::new(|| {
    let own = Layer::read(include_str!("suitecrm-v8.yaml"));
    Arc::new(Stock::of_layers("suitecrm-v8", &[&FAMILY, &SUITECRM, &own]))
});

/// SugarCRM, in its REST API.
pub(in crate::dialect) fn of_sugar_rest() -> Arc<Stock> {
    SUGAR_REST.clone()
}

/// SuiteCRM, in its legacy API.
pub(in crate::dialect) fn of_sugar_v4() -> Arc<Stock> {
    SUGAR_V4.clone()
}

/// SuiteCRM, in its JSON:API.
pub(in crate::dialect) fn of_suitecrm_v8() -> Arc<Stock> {
    SUITECRM_V8.clone()
}
