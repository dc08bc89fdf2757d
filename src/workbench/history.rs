//! Every edit can be taken back: a value with the values it had before.

/// Steps kept for undo; older ones are forgotten.
const DEPTH: usize = 200;

/// A value, its past and the future that undo left behind.
///
/// Edits of one gesture (a slider that is being dragged) are one step: the first edit opens the step and
/// [`History::close_step`] ends it.
#[derive(Debug, Clone)]
pub struct History<T> {
    current: T,
    past: Vec<T>,
    future: Vec<T>,
    step_open: bool,
}

impl<T: PartialEq> History<T> {
    /// A value without a past.
    pub fn new(current: T) -> Self {
        Self { current, past: Vec::new(), future: Vec::new(), step_open: false }
    }

    /// The value now.
    pub fn current(&self) -> &T {
        &self.current
    }

    /// Changes the value; `false` when it is the same as before.
    pub fn edit(&mut self, value: T) -> bool {
        if value == self.current {
            return false;
        }
        let previous = std::mem::replace(&mut self.current, value);
        if !self.step_open {
            self.past.push(previous);
            if self.past.len() > DEPTH {
                self.past.remove(0);
            }
        }
        self.step_open = true;
        self.future.clear();
        true
    }

    /// The gesture is over: the next edit is a step of its own.
    pub fn close_step(&mut self) {
        self.step_open = false;
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is something to do again.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// Back one step; `false` at the beginning.
    pub fn undo(&mut self) -> bool {
        self.step_open = false;
        let Some(value) = self.past.pop() else { return false };
        self.future.push(std::mem::replace(&mut self.current, value));
        true
    }

    /// Forward one step; `false` at the end.
    pub fn redo(&mut self) -> bool {
        self.step_open = false;
        let Some(value) = self.future.pop() else { return false };
        self.past.push(std::mem::replace(&mut self.current, value));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_drag_is_one_step() {
        let mut history = History::new(0);
        for value in 1..10 {
            history.edit(value);
        }
        history.close_step();
        history.edit(20);
        assert!(history.undo());
        assert_eq!(*history.current(), 9);
        assert!(history.undo());
        assert_eq!(*history.current(), 0);
        assert!(!history.undo());
        assert!(history.redo() && history.redo());
        assert_eq!(*history.current(), 20);
        assert!(!history.redo());
    }

    #[test]
    fn a_new_edit_forgets_the_undone_future() {
        let mut history = History::new('a');
        history.edit('b');
        history.undo();
        history.edit('c');
        assert!(!history.can_redo());
        history.undo();
        assert_eq!(*history.current(), 'a');
    }

    #[test]
    fn an_edit_to_the_same_value_is_no_step() {
        let mut history = History::new(1);
        assert!(!history.edit(1));
        assert!(!history.can_undo());
    }
}
