//! Ollama's `/api/chat`: newline-delimited JSON, native tool calls, thinking.

mod request;
mod stream;

use super::failure::{BackendError, excerpt};
use super::{Delta, DeltaSink, ModelTurn, TurnRequest, http_client};
use espalier_protocol::session::BackendSettings;
use reqwest::{Client, Response};
use serde_json::Value;
use std::time::{Duration, Instant};
use stream::Answer;

/// How long a model may take to be loaded.
const LOADING: Duration = Duration::from_secs(600);

/// A model on an Ollama server.
pub struct Ollama {
    client: Client,
    host: String,
    settings: BackendSettings,
    model: String,
    step_timeout: Duration,
    asked_whether_loaded: bool,
    calls_made: u32,
}

impl Ollama {
    pub(super) fn new(
        settings: &BackendSettings,
        step_timeout: Duration,
    ) -> Result<Self, BackendError> {
        let BackendSettings::Ollama { host, model, .. } = settings else {
            return Err(BackendError::Request(
                "these are no Ollama settings".to_owned(),
            ));
        };
        let host = host.trim_end_matches('/').to_owned();
        Ok(Self {
            client: http_client(&host).map_err(|error| BackendError::Request(error.to_string()))?,
            host,
            settings: settings.clone(),
            model: model.clone(),
            step_timeout,
            asked_whether_loaded: false,
            calls_made: 0,
        })
    }

    pub(super) async fn turn(
        &mut self,
        request: &TurnRequest<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        let patience = self.first_byte_patience().await;
        let body = request::body(&self.settings, request);
        let send = self
            .client
            .post(format!("{}/api/chat", self.host))
            .json(&body)
            .send();
        let response = self.wait_for_start(send, patience, sink).await?;
        let response = self.accepted(response).await?;
        self.read(response, sink, patience).await
    }

    /// A model that is not in memory yet may take long before its first word.
    async fn first_byte_patience(&mut self) -> Duration {
        if std::mem::replace(&mut self.asked_whether_loaded, true) {
            return self.step_timeout;
        }
        let asked = self
            .client
            .get(format!("{}/api/ps", self.host))
            .timeout(Duration::from_secs(2))
            .send()
            .await;
        let Ok(response) = asked else {
            return self.step_timeout;
        };
        let answer: Option<Value> = match response.text().await {
            Ok(text) => serde_json::from_str(&text).ok(),
            Err(_) => None,
        };
        let loaded = answer
            .as_ref()
            .and_then(|answer| answer["models"].as_array());
        match loaded {
            Some(models) if !models.iter().any(|model| self.is_ours(model)) => LOADING,
            _ => self.step_timeout,
        }
    }

    fn is_ours(&self, model: &Value) -> bool {
        let tagged = format!("{}:latest", self.model);
        ["name", "model"]
            .iter()
            .filter_map(|key| model[*key].as_str())
            .any(|name| name == self.model || name == tagged)
    }

    async fn wait_for_start(
        &self,
        send: impl Future<Output = reqwest::Result<Response>>,
        patience: Duration,
        sink: DeltaSink<'_>,
    ) -> Result<Response, BackendError> {
        let started = Instant::now();
        tokio::pin!(send);
        loop {
            let waited = started.elapsed();
            let Some(left) = patience.checked_sub(waited) else {
                return Err(self.timed_out(patience));
            };
            tokio::select! {
                response = &mut send => return response.map_err(|error| self.failed(&error)),
                () = tokio::time::sleep(left.min(Duration::from_secs(1))) => {
                    let seconds = u32::try_from(started.elapsed().as_secs()).unwrap_or(u32::MAX);
                    sink(Delta::Progress {
                        label: format!("Waiting for {}", self.model),
                        seconds,
                    });
                }
            }
        }
    }

    fn timed_out(&self, patience: Duration) -> BackendError {
        BackendError::Timeout {
            host: self.host.clone(),
            seconds: patience.as_secs(),
        }
    }

    fn failed(&self, error: &reqwest::Error) -> BackendError {
        if error.is_timeout() {
            return self.timed_out(Duration::from_secs(10));
        }
        if error.is_builder() {
            return BackendError::Request(error.to_string());
        }
        let mut why = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            why = inner.to_string();
            source = inner.source();
        }
        BackendError::Unreachable {
            host: self.host.clone(),
            why,
        }
    }

    /// The response, if its status is good.
    async fn accepted(&self, response: Response) -> Result<Response, BackendError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let text = response.text().await.unwrap_or_default();
        let said = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|body| body["error"].as_str().map(str::to_owned))
            .unwrap_or(text);
        let said = excerpt(&said);
        let model = self.model.clone();
        Err(match status.as_u16() {
            404 if said.contains("not found") => BackendError::ModelMissing { model, said },
            400 if said.contains("does not support tools") => BackendError::NoTools { model, said },
            status @ (401 | 403) => BackendError::Auth { status, said },
            status @ (429 | 503) => BackendError::Busy {
                status,
                said,
                retry_after,
            },
            status => BackendError::Refused { status, said },
        })
    }

    async fn read(
        &mut self,
        mut response: Response,
        sink: DeltaSink<'_>,
        first: Duration,
    ) -> Result<ModelTurn, BackendError> {
        let mut answer = Answer::default();
        let mut patience = first;
        while !answer.is_done() {
            let chunk = tokio::time::timeout(patience, response.chunk())
                .await
                .map_err(|_| self.timed_out(patience))?;
            patience = self.step_timeout;
            match chunk {
                Ok(Some(bytes)) => answer.take(&bytes, sink)?,
                Ok(None) => answer.end(sink)?,
                Err(_) => return Err(BackendError::Cut),
            }
        }
        answer.finish(&mut self.calls_made, &self.settings)
    }
}
