//! Named threads that run jobs in order.
//!
//! burn keys its GPU queues by thread, so everything that touches the device runs on one worker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread::JoinHandle;

use super::Progress;

type Task = Box<dyn FnOnce() + Send>;

/// A named thread with a queue.
#[derive(Debug)]
pub struct Worker {
    queue: Option<mpsc::Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn start(name: &str) -> std::io::Result<Self> {
        let (queue, tasks) = mpsc::channel::<Task>();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            for task in tasks {
                // The panic was printed where it happened, and its job is reported as lost: the next ones still run.
                // What the work shared is behind locks or was its own, so nobody sees it half changed.
                let _ = catch_unwind(AssertUnwindSafe(task));
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues work; `wake` is called when it has ended, even by a panic, so that a sleeping window can look.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Progress) -> T + Send + 'static,
        wake: impl FnOnce() + Send + 'static,
    ) -> Job<T> {
        let progress = Progress::new();
        let (sender, result) = mpsc::channel();
        let theirs = progress.clone();
        let task: Task = Box::new(move || {
            let _wake = AtEnd(Some(wake)); // dropped last: whoever is woken finds the result, or that there is none
            let sender = sender;
            let _ = sender.send(work(&theirs)); // nobody waits any more: the result has no reader
        });
        if let Some(queue) = &self.queue {
            let _ = queue.send(task); // the thread has ended: `poll` then reports the job as lost
        }
        Job { progress, result }
    }
}

/// Called when it is dropped, also while a panic unwinds.
struct AtEnd<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic was already printed by its own thread
        }
    }
}

/// Work under way.
#[derive(Debug)]
pub struct Job<T> {
    progress: Progress,
    result: Receiver<T>,
}

impl<T> Job<T> {
    /// The result, once; `Ok(None)` while it is under way.
    ///
    /// # Errors
    /// [`Lost`] when the work panicked.
    pub fn poll(&self) -> Result<Option<T>, Lost> {
        match self.result.try_recv() {
            Ok(value) => Ok(Some(value)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Lost),
        }
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// The work ended without a result: it panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the background work stopped unexpectedly; its message is on the terminal")]
pub struct Lost;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn jobs_run_in_order_and_wake_the_waiting() {
        let worker = Worker::start("test").expect("a thread");
        let (woken, wait) = channel();
        let (one, two) = (woken.clone(), woken);
        let first = worker.submit(|_| 1, move || one.send(1).expect("the test waits"));
        let second = worker.submit(|_| 2, move || two.send(2).expect("the test waits"));
        assert_eq!((wait.recv(), wait.recv()), (Ok(1), Ok(2)));
        assert_eq!((first.poll(), second.poll()), (Ok(Some(1)), Ok(Some(2))));
    }

    #[test]
    fn a_job_that_panics_is_lost_and_the_next_one_runs() {
        let worker = Worker::start("test").expect("a thread");
        let (woken, wait) = channel();
        let (one, two) = (woken.clone(), woken);
        let lost: Job<i32> = worker.submit(|_| panic!("on purpose"), move || one.send(1).expect("the test waits"));
        let next = worker.submit(|_| 2, move || two.send(2).expect("the test waits"));
        assert_eq!(wait.recv(), Ok(1), "a panic wakes as well");
        assert_eq!(lost.poll(), Err(Lost));
        assert_eq!(wait.recv(), Ok(2));
        assert_eq!(next.poll(), Ok(Some(2)));
    }

    #[test]
    fn a_cancelled_job_stops_at_its_next_step() {
        let worker = Worker::start("test").expect("a thread");
        let (woken, wait) = channel();
        let job = worker.submit(
            |progress| {
                progress.begin(1_000_000_000);
                loop {
                    if progress.advance(1).is_err() {
                        return "stopped";
                    }
                    std::thread::yield_now();
                }
            },
            move || woken.send(()).expect("the test waits"),
        );
        job.progress().cancel();
        wait.recv().expect("the job ends");
        assert_eq!(job.poll(), Ok(Some("stopped")));
    }
}
