//! Reads module after module, records each before it is read, keeps how far it came, and goes on where one module fails.

use serde::Serialize;

use super::crm::{Crm, Trouble};
use super::pages::{Pages, Wish};
use super::recorder::{Recorder, Unrecorded};
use super::state::{Kept, NotKept, State};
use crate::dialect::survey::Row;
use crate::vocabulary::Module;

/// Where a reading is.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The module.
    pub module: &'a Module,
    /// Its number among all, from 0.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Records of it that were read.
    pub read: u64,
}

/// Why a reading ended before its end. What was counted is kept.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The CRM gives no answers.
    #[error("`{module}` could not be read: {trouble}")]
    Trouble {
        /// The module that was being read.
        module: Module,
        /// Why.
        trouble: Trouble,
    },
    /// It cannot be recorded.
    #[error("{0}")]
    Unrecorded(#[from] Unrecorded),
    /// It cannot be kept.
    #[error("{0}")]
    NotKept(#[from] NotKept),
}

/// What reads, and where what it does goes.
pub struct Desk<'a, T> {
    /// The CRM.
    pub crm: &'a Crm,
    /// Where it is recorded.
    pub recorder: &'a Recorder,
    /// Where it is kept.
    pub kept: &'a mut Kept,
    /// How a record is counted.
    pub count: &'a (dyn Fn(&mut T, &Row<'_>) + Sync),
    /// Is told where the reading is.
    pub progress: &'a mut (dyn FnMut(Step<'_>) + Send),
}

/// Reads records of modules, as far as the state says that they are not read yet.
///
/// # Errors
/// If two modules in a row cannot be read because of the CRM as a whole, or what is read cannot be recorded or kept.
pub async fn read<T: Default + Serialize + Send>(
    desk: &mut Desk<'_, T>,
    modules: &[Module],
    wish: Wish,
    state: &mut State<T>,
) -> Result<(), Stopped> {
    let mut failed: Option<(Module, Trouble)> = None;
    let mut any = false;
    for (number, module) in modules.iter().enumerate() {
        let known = state.modules.entry(module.as_str().to_owned());
        if known.or_default().has_ended() {
            continue;
        }
        let place = (number, modules.len());
        match one(desk, module, place, wish, state).await? {
            None => {
                any = true;
                give_up(state, failed.take());
            }
            Some(trouble) if trouble == Trouble::Account || failed.is_some() => {
                desk.kept.keep(state)?;
                let module = module.clone();
                return Err(Stopped::Trouble { module, trouble });
            }
            Some(trouble) if trouble.is_of_all() => failed = Some((module.clone(), trouble)),
            Some(trouble) => give_up(state, Some((module.clone(), trouble))),
        }
        desk.kept.keep_now_and_then(state)?;
    }
    if let (Some((module, trouble)), false) = (&failed, any) {
        let (module, trouble) = (module.clone(), trouble.clone());
        desk.kept.keep(state)?;
        return Err(Stopped::Trouble { module, trouble });
    }
    give_up(state, failed);
    desk.kept.keep(state)?;
    Ok(())
}

/// Takes note that a module cannot be read.
fn give_up<T: Default>(state: &mut State<T>, failed: Option<(Module, Trouble)>) {
    if let Some((module, trouble)) = failed {
        let read = state.modules.entry(module.as_str().to_owned()).or_default();
        read.unread = Some(trouble.to_string());
    }
}

/// Reads one module to its end; or says why not.
async fn one<T: Default + Serialize + Send>(
    desk: &mut Desk<'_, T>,
    module: &Module,
    (number, of): (usize, usize),
    wish: Wish,
    state: &mut State<T>,
) -> Result<Option<Trouble>, Stopped> {
    desk.recorder.record(module, wish.most, None)?;
    let mut pages = Pages::of(desk.crm, module, wish);
    let mut trouble = None;
    loop {
        let known = state.modules.entry(module.as_str().to_owned()).or_default();
        (desk.progress)(Step {
            module,
            number,
            of,
            read: known.cursor.read,
        });
        if known.cursor.is_done {
            break;
        }
        // Between the last record that is counted and the new cursor nothing is waited for: both stand, or neither.
        let (cursor, tally) = (known.cursor.clone(), &mut known.tally);
        let count = desk.count;
        match pages.next(&cursor, &mut |row| count(tally, row)).await {
            Ok(next) => known.cursor = next,
            Err(found) => {
                trouble = Some(found);
                break;
            }
        }
        desk.kept.keep_now_and_then(state)?;
    }
    let read = state.modules.get(module.as_str());
    let read = read.map_or(0, |read| read.cursor.read);
    desk.recorder.record(module, wish.most, Some(read))?;
    Ok(trouble)
}
