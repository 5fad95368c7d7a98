//! The CRMs of SugarCRM's family as they are delivered: the files beside this one, read once.

use std::sync::{Arc, LazyLock};

use super::Stock;

const FAMILY: &str = include_str!("family.yaml");
const SUITECRM: &str = include_str!("suitecrm.yaml");

static SUGAR_REST: LazyLock<Arc<Stock>> = LazyLock::new(|| {
    let layers = [FAMILY, include_str!("sugarcrm.yaml")];
    Arc::new(Stock::of_layers("sugar-rest", &layers))
});
static SUGAR_V4: LazyLock<Arc<Stock>> = LazyLock::new(|| {
    let layers = [FAMILY, SUITECRM, include_str!("sugar-v4.yaml")];
    Arc::new(Stock::of_layers("sugar-v4", &layers))
});
static SUITECRM_V8: LazyLock<Arc<Stock>> = LazyLock::new(|| {
    let layers = [FAMILY, SUITECRM, include_str!("suitecrm-v8.yaml")];
    Arc::new(Stock::of_layers("suitecrm-v8", &layers))
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
