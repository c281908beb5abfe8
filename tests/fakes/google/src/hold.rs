//! Answers that are held back: a test does something while one is on its way, and need not be quick.

use tokio::sync::watch;

use crate::FakeGoogle;
use crate::fault::Call;

#[derive(Debug, Default)]
pub(crate) struct Holding {
    /// Of which calls the answer is held back, and how many of the kind come before.
    wanted: Vec<(Call, usize)>,
    /// How many have been held back so far.
    held: watch::Sender<usize>,
    /// Rises whenever those that are held are let go.
    let_go: watch::Sender<usize>,
}

impl Holding {
    /// What the answer to a call waits for, if it is one to be held back.
    pub fn of(&mut self, call: Call) -> Option<watch::Receiver<usize>> {
        let index = self.wanted.iter().position(|(kind, _)| *kind == call)?;
        let (_, before) = &mut self.wanted[index];
        if *before > 0 {
            *before -= 1;
            return None;
        }
        self.wanted.remove(index);
        let let_go = self.let_go.subscribe();
        self.held.send_modify(|held| *held += 1);
        Some(let_go)
    }
}

impl FakeGoogle {
    /// After so many more calls of this kind, one is carried out and its answer held back, until [`FakeGoogle::let_go`].
    pub fn hold(&self, call: Call, after: usize) {
        self.world().holding.wanted.push((call, after));
    }

    /// Waits until so many answers in all have been held back.
    pub async fn held(&self, count: usize) {
        let mut held = self.world().holding.held.subscribe();
        // It fails only when the server has ended.
        drop(held.wait_for(|held| *held >= count).await);
    }

    /// Lets every answer go that is held back.
    pub fn let_go(&self) {
        let world = self.world();
        world.holding.let_go.send_modify(|times| *times += 1);
    }
}
