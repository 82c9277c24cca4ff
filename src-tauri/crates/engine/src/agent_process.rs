//! The engine's side of the agent process: lines out, lines in, and an end that leaves nothing running.

use crate::error::EngineError;
use espalier_protocol::worker::{AgentSetup, FromAgent, ToAgent};
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;

use crate::engine::AgentProgram;

/// How long an agent process may take to end what it started and exit.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// What the process says next.
#[derive(Debug)]
pub enum Heard {
    Said(Box<FromAgent>),
    /// It ended; the last lines of its standard error tell why.
    Gone {
        why: String,
    },
}

/// A running agent process.
pub struct AgentProcess {
    child: Child,
    /// Absent once the process was told to end: it must not wait for more.
    stdin: Option<ChildStdin>,
    heard: mpsc::Receiver<Heard>,
}

impl AgentProcess {
    /// Starts the process and sends it its setup.
    pub async fn start(program: &AgentProgram, setup: AgentSetup) -> Result<Self, EngineError> {
        let mut child = Command::new(&program.program)
            .args(&program.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| EngineError::AgentStart(error.to_string()))?;
        let missing = || EngineError::AgentStart("its pipes are missing".to_owned());
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let (sender, heard) = mpsc::channel(256);
        let complaints = tokio::spawn(last_lines(stderr));
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            let mut broken = None;
            loop {
                match lines.next_line().await {
                    Ok(Some(line)) => match serde_json::from_str::<FromAgent>(&line) {
                        Ok(said) => {
                            if sender.send(Heard::Said(Box::new(said))).await.is_err() {
                                return;
                            }
                        }
                        Err(error) => {
                            broken = Some(format!("It said something unreadable: {error}"));
                            break;
                        }
                    },
                    Ok(None) => break,
                    Err(error) => {
                        broken = Some(error.to_string());
                        break;
                    }
                }
            }
            let why = match broken {
                Some(why) => why,
                None => complaints.await.unwrap_or_default(),
            };
            // Nobody listens any more when the session has let go of the process.
            let _ = sender.send(Heard::Gone { why }).await;
        });
        let mut process = Self {
            child,
            stdin: Some(stdin),
            heard,
        };
        process
            .say(&ToAgent::Setup {
                setup: Box::new(setup),
            })
            .await?;
        Ok(process)
    }

    /// Sends a line. An agent that is gone is reported by `hear`, not here.
    pub async fn say(&mut self, line: &ToAgent) -> Result<(), EngineError> {
        let mut text = serde_json::to_vec(line)
            .map_err(|error| EngineError::Internal(format!("A line for the agent: {error}")))?;
        text.push(b'\n');
        if let Some(stdin) = &mut self.stdin
            && let Err(error) = stdin.write_all(&text).await
        {
            tracing::debug!(%error, "the agent process no longer reads");
        }
        Ok(())
    }

    /// The next thing the process says; `Gone` once, when it ended.
    pub async fn hear(&mut self) -> Heard {
        self.heard
            .recv()
            .await
            .unwrap_or(Heard::Gone { why: String::new() })
    }

    /// The same for several processes that are listened to at once.
    pub fn poll_hear(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        self.heard
            .poll_recv(context)
            .map(|heard| heard.unwrap_or(Heard::Gone { why: String::new() }))
    }

    /// Ends the process and all that it started; what it still says goes to `last`.
    pub async fn end(mut self, mut last: impl FnMut(FromAgent)) -> Option<ExitStatus> {
        let shut = self.say(&ToAgent::Shutdown).await;
        if let Err(error) = shut {
            tracing::warn!(%error, "could not ask the agent process to end");
        }
        self.stdin = None;
        let drained = async {
            while let Heard::Said(said) = self.hear().await {
                last(*said);
            }
        };
        let graceful = tokio::time::timeout(SHUTDOWN_GRACE, drained).await.is_ok();
        if graceful
            && let Ok(Ok(status)) =
                tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await
        {
            return Some(status);
        }
        if let Some(pid) = self.child.id() {
            espalier_agent::kill_process_tree(pid);
        }
        if let Err(error) = self.child.kill().await {
            tracing::warn!(%error, "the agent process could not be killed");
        }
        None
    }
}

/// The last lines a process wrote to its standard error, for the message about its end.
async fn last_lines(stderr: tokio::process::ChildStderr) -> String {
    let mut kept = std::collections::VecDeque::new();
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if kept.len() == 5 {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    Vec::from(kept).join("\n")
}
