//! Why a network could not be made, read, written or asked.

use burn::tensor::TensorReadError;

use super::config::MtmConfigError;
use crate::model::weights::WeightError;

/// One sentence a user can act on.
#[derive(Debug, thiserror::Error)]
pub enum MtmError {
    /// Sizes that no network can have.
    #[error(transparent)]
    Config(#[from] MtmConfigError),
    /// Weights that are not those of the network, or a file that could not be read or written.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A file whose description cannot be used.
    #[error("`{file}`: the description of the network in its metadata cannot be used: {what}")]
    Description {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A session that the network was not trained on.
    #[error("the network has no session `{id}`; it has {known}: add the session first, and train its weights")]
    UnknownSession {
        /// What was asked for.
        id: String,
        /// Those it has, in words.
        known: String,
    },
    /// A session that cannot be added.
    #[error("the session `{id}` cannot be added: {what}")]
    NewSession {
        /// Its name.
        id: String,
        /// Why.
        what: String,
    },
    /// Spikes of another population.
    #[error("the spikes are of {found} neurons, but session `{id}` has {expected}")]
    Neurons {
        /// The session.
        id: String,
        /// Neurons of the spikes.
        found: usize,
        /// Neurons of the session.
        expected: usize,
    },
    /// Trials that are too long, or empty.
    #[error("the trials have {found} bins, but this network takes between 1 and {most}")]
    Bins {
        /// Bins of the trials.
        found: usize,
        /// Rows of the position table.
        most: usize,
    },
    /// What shall be hidden is not there.
    #[error("{0}")]
    Hidden(String),
    /// The device failed.
    #[error("`{what}` could not be read from the device: {source}")]
    Read {
        /// What was read.
        what: String,
        /// What the device said.
        source: TensorReadError,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] crate::job::Cancelled),
}

impl MtmError {
    /// There is no session of this name among these.
    pub(super) fn unknown_session<'a>(id: &str, sessions: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let more = if sessions.len() > 8 { ", …" } else { "" };
        let known: Vec<&str> = sessions.take(8).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") + more };
        Self::UnknownSession { id: id.escape_debug().take(80).collect(), known }
    }
}
