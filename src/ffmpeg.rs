//! The program `ffmpeg`, for the video files that nothing here decodes or encodes itself.
//!
//! It is found on the PATH and started without a shell; file names are given as `file:` addresses, so that none can be
//! an option or lead to another machine. A child that is no longer needed is killed and waited for: none outlives the
//! value that holds it.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Bytes that are kept of what a child writes as errors; the last line is shown.
const LAST_WORDS: usize = 4096;
/// Longest sentence that is quoted, characters.
const LONGEST_QUOTE: usize = 300;
/// How long a child may take to end once its pipes are closed; writing the index of a long film takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why video could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FfmpegError {
    /// Not installed.
    #[error(
        "the program ffmpeg is not installed (it is what reads and writes video files such as .mp4, .avi or .mkv): \
         `apt install ffmpeg`, or get it from https://ffmpeg.org and put it on the PATH"
    )]
    Missing,
    /// Its last line, or why it could not be started.
    #[error("ffmpeg says: {0}")]
    Failed(String),
}

/// A running child.
#[derive(Debug)]
pub(crate) struct Ffmpeg {
    child: Child,
    /// Files among its arguments: they are named already where its words are shown.
    files: Vec<String>,
    last_words: Receiver<Vec<u8>>,
}

/// A file as an argument of ffmpeg.
pub(crate) fn file_argument(path: &Path) -> OsString {
    let mut argument = OsString::from("file:");
    argument.push(path);
    argument
}

impl Ffmpeg {
    /// Starts a program of the ffmpeg family; it reads nothing from the terminal.
    ///
    /// # Errors
    /// When it is not installed or cannot be started.
    pub(crate) fn start<I: IntoIterator<Item = OsString>>(
        program: &str,
        arguments: I,
        stdin: Stdio,
    ) -> Result<Self, FfmpegError> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let files = arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
        let files = files.filter(|argument| argument.starts_with("file:")).collect();
        let mut command = Command::new(program);
        command.args(arguments).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => FfmpegError::Missing,
            _ => FfmpegError::Failed(format!("it could not be started ({error})")),
        })?;
        let (sender, last_words) = mpsc::channel();
        let stderr = child.stderr.take();
        // A child blocks when nobody reads what it says. The thread ends with the pipe.
        std::thread::spawn(move || {
            let mut tail = Vec::new();
            if let Some(mut stderr) = stderr {
                let mut piece = [0; 1024];
                while let Ok(count @ 1..) = stderr.read(&mut piece) {
                    tail.extend_from_slice(&piece[..count]);
                    tail.drain(..tail.len().saturating_sub(LAST_WORDS));
                }
            }
            // Nobody may be waiting for it any more.
            let _ = sender.send(tail);
        });
        Ok(Self { child, files, last_words })
    }

    /// What it writes.
    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("taken once, piped above")
    }

    /// What it reads, when it was started with a pipe.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits until it has ended by itself; its pipes have to be closed.
    ///
    /// # Errors
    /// Its last line when it failed.
    pub(crate) fn finish(mut self) -> Result<(), FfmpegError> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(FfmpegError::Failed(self.last_line(&status.to_string()))),
                Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(FfmpegError::Failed("nothing; it does not come to an end".to_owned())),
                Err(error) => return Err(FfmpegError::Failed(error.to_string())),
            }
        }
    }

    /// The last line of its errors.
    fn last_line(&self, otherwise: &str) -> String {
        // A grandchild may keep the pipe open: not waiting for ever.
        let tail = self.last_words.recv_timeout(Duration::from_secs(2)).unwrap_or_default();
        let text = String::from_utf8_lossy(&tail);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or(otherwise);
        let line = self.files.iter().fold(line.to_owned(), |line, file| line.replace(&format!("{file}: "), ""));
        line.chars().filter(|letter| !letter.is_control()).take(LONGEST_QUOTE).collect()
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // Fails when it has ended already; waiting then only takes note of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program of the family says about a file, at most `limit` bytes of it.
///
/// # Errors
/// When it is not installed or fails.
pub(crate) fn ask<I: IntoIterator<Item = OsString>>(
    program: &str,
    arguments: I,
    limit: u64,
) -> Result<String, FfmpegError> {
    let mut child = Ffmpeg::start(program, arguments, Stdio::null())?;
    let stdout = child.stdout();
    let (sender, answer) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.take(limit).read_to_end(&mut text);
        let _ = sender.send(read.map(|_| text));
    });
    let text = answer.recv_timeout(PATIENCE).map_err(|_| FfmpegError::Failed("nothing for a minute".to_owned()))?;
    let text = text.map_err(|error| FfmpegError::Failed(error.to_string()))?;
    child.finish()?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
