//! Work that runs code of a plugin, on a thread of its own: one that blocks its thread takes nothing from others, and no more than its own place.

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Work under way. It is cut off at its next await when this is dropped.
#[derive(Debug)]
pub struct Apart<T> {
    /// Ends with what the work came to; none where it was cut off, an error where it panicked.
    pub task: JoinHandle<Option<T>>,
    _still_wanted: oneshot::Sender<()>,
}

/// Begins the work, which keeps its place for as long as its thread is taken.
pub fn begin<W, T>(work: W, place: impl Send + 'static) -> Apart<T>
where
    W: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (still_wanted, cut_off) = oneshot::channel::<()>();
    let runtime = Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        let _place = place;
        runtime.block_on(async move {
            tokio::select! {
                done = work => Some(done),
                _ = cut_off => None,
            }
        })
    });
    Apart {
        task,
        _still_wanted: still_wanted,
    }
}
