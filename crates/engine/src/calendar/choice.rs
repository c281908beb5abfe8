//! Which of an account's calendars are read and written to.

use domain::problem::Problem;
use plugin_api::CalendarAccount;
use store::calendar_connection::ConnectionRow;

/// The most calendars that are read for one provider.
const READ_MAX: usize = 20;

/// The calendars that are read: those that were chosen, else as it was, else the main one.
pub(super) fn read_from(
    wanted: Option<&[String]>,
    account: &CalendarAccount,
    goes_on: Option<&ConnectionRow>,
) -> Result<Vec<String>, Problem> {
    let path = ["input", "readFrom"];
    let is_known = |id: &String| account.calendars.iter().any(|known| known.id == *id);
    let mut chosen = match (wanted, goes_on) {
        (Some(chosen), _) => {
            if let Some(unknown) = chosen.iter().find(|id| !is_known(id)) {
                let message = format!("the account has no calendar `{unknown}`");
                return Err(Problem::invalid(&path, message));
            }
            chosen.to_vec()
        }
        (None, Some(before)) => {
            let mut kept = before.read_from.clone();
            kept.retain(is_known);
            kept
        }
        (None, None) => account
            .calendars
            .first()
            .map(|main| main.id.clone())
            .into_iter()
            .collect(),
    };
    chosen.sort();
    chosen.dedup();
    if chosen.len() > READ_MAX {
        let message = format!("must be at most {READ_MAX} calendars");
        return Err(Problem::invalid(&path, message));
    }
    Ok(chosen)
}

/// The calendar that is written to: the one that was chosen, else as it was, else the main one; none: nowhere.
pub(super) fn write_to(
    wanted: Option<&Option<String>>,
    account: &CalendarAccount,
    goes_on: Option<&ConnectionRow>,
) -> Result<Option<String>, Problem> {
    let path = ["input", "writeTo"];
    let find = |id: &str| account.calendars.iter().find(|known| known.id == id);
    match (wanted, goes_on) {
        (Some(None), _) => Ok(None),
        (Some(Some(id)), _) => match find(id) {
            Some(known) if known.writable => Ok(Some(id.clone())),
            Some(_) => Err(Problem::invalid(
                &path,
                "nothing can be written to this calendar",
            )),
            None => {
                let message = format!("the account has no calendar `{id}`");
                Err(Problem::invalid(&path, message))
            }
        },
        (None, Some(before)) => {
            let kept = before.write_to.as_deref();
            Ok(kept
                .filter(|id| find(id).is_some_and(|known| known.writable))
                .map(str::to_owned))
        }
        (None, None) => {
            let main = account.calendars.first().filter(|main| main.writable);
            Ok(main.map(|main| main.id.clone()))
        }
    }
}

/// The calendars that a connection reads, and whether each makes busy: what is written to is read, too, for what becomes of our events.
pub(super) fn sources(row: &ConnectionRow) -> Vec<(String, bool)> {
    let read = row.read_from.iter().map(|id| (id.clone(), true));
    let written = row
        .write_to
        .iter()
        .filter(|id| !row.read_from.contains(id))
        .map(|id| (id.clone(), false));
    read.chain(written).collect()
}
