//! Short ways to ask a dialect, for tests: what an operation would be as a request, and where records lie in
//! its answer.

use serde_json::{Map, Value};

use super::{
    AnswerForm, Arrangement, Bounds, Dialect, Exchange, Incoming, Misunderstood, Operation,
    Outgoing, Shape, Understood, Wanted,
};

/// A dialect that makes an exchange of any operation.
pub(crate) trait Speaks: Dialect {
    /// The exchange of an operation.
    fn exchange_of(&self, operation: Operation) -> Box<dyn Exchange>;

    /// What a request means, as operations.
    fn meaning(
        &self,
        request: &Incoming<'_>,
        bounds: &Bounds,
    ) -> Result<Understood<Operation>, Misunderstood> {
        let understood = self.understand(request, bounds)?;
        Ok(understood.map(|exchange| exchange.operation().clone()))
    }

    /// The request that an operation becomes.
    fn render(&self, operation: &Operation) -> Outgoing {
        self.exchange_of(operation.clone()).render(operation)
    }

    /// How the answer to an operation is read.
    fn answer_of(&self, operation: &Operation) -> AnswerForm {
        self.exchange_of(operation.clone()).answer()
    }

    /// Where records lie in the answer to an operation.
    fn shape(&self, operation: &Operation) -> Shape {
        self.answer_of(operation).shape
    }

    /// The read of the fields that an update names.
    fn look_up(&self, update: &Operation) -> Operation {
        let write = update.write.clone().unwrap_or_default();
        let exchange = self.exchange_of(update.clone());
        let look_up = exchange.look_up(Wanted::Fields(&write));
        look_up.expect("every update has one").operation().clone()
    }

    /// The fields of the record in the answer to a look-up.
    fn looked_up(&self, look_up: &Operation, answer: Value) -> Option<Map<String, Value>> {
        self.exchange_of(look_up.clone()).record(answer)
    }

    /// How the reply to an update that changed nothing is made of the answer to a look-up.
    fn unchanged(&self, look_up: &Operation) -> Arrangement {
        self.exchange_of(look_up.clone()).unchanged()
    }
}
