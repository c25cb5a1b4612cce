//! How the reference gateway decided, as far as its defects need it: one flag for "a reconnect was
//! attempted", one stamp for the last death, decisions by error text, a breaker without epochs.

/// What a child does with a call.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Result,
    /// Any rejection, with its text.
    Error(&'static str),
    /// The child answers nothing and stays.
    TimesOut,
    /// The child dies of the call.
    Crashes,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Failed,
    /// No child was asked.
    Refused,
}

/// One downstream of the original.
#[derive(Default)]
pub(super) struct Original {
    pub(super) now: u64,
    /// The child in use, by its number.
    pub(super) client: Option<u32>,
    pub(super) unhealthy: bool,
    attempted: bool,
    last_reconnect: Option<u64>,
    last_death: Option<u64>,
    /// The next connect fails.
    pub(super) handshake_fails: bool,
    pub(super) spawned: u32,
    pub(super) alive: Vec<u32>,
    pub(super) killed: u32,
    pub(super) executions: u32,
    pub(super) breaker: OriginalBreaker,
}

const FLAP_WINDOW_MS: u64 = 30_000;

impl Original {
    pub(super) fn connected() -> Self {
        let mut original = Self::default();
        original.connect();
        original
    }

    pub(super) fn connect(&mut self) -> bool {
        self.spawned += 1;
        if self.handshake_fails {
            return false;
        }
        self.client = Some(self.spawned);
        self.alive.push(self.spawned);
        self.unhealthy = false;
        self.last_death = None;
        true
    }

    /// Closing begins the kill sequence and does not wait for it.
    pub(super) fn close(&mut self) {
        if self.client.take().is_some() {
            self.killed += 1;
        }
    }

    /// A child's output has ended: the only way in which a death is noticed.
    pub(super) fn output_ended(&mut self) {
        if let Some(child) = self.client.take() {
            self.alive.retain(|alive| *alive != child);
            self.unhealthy = true;
            self.last_death = Some(self.now);
        }
    }

    pub(super) fn call(&mut self, answer: Answer) -> Outcome {
        if let Some(refused) = self.ensure_connected() {
            return refused;
        }
        let Some(text) = self.forward(answer) else {
            return Outcome::Ok;
        };
        self.failed(text, answer)
    }

    /// A rejection of any kind: reconnect once an episode, and send the same call again.
    pub(super) fn failed(&mut self, text: &str, answer: Answer) -> Outcome {
        if text.contains("Not connected") {
            self.close();
        }
        let rested = self
            .last_reconnect
            .is_none_or(|last| self.now - last >= FLAP_WINDOW_MS);
        if self.attempted || !rested {
            self.unhealthy = true;
            return Outcome::Failed;
        }
        self.attempted = true;
        self.close();
        if !self.connect() {
            self.unhealthy = true;
            return Outcome::Failed;
        }
        let failed = self.forward(answer).is_some();
        self.attempted = false;
        self.last_reconnect = Some(self.now);
        self.unhealthy = failed;
        if failed { Outcome::Failed } else { Outcome::Ok }
    }

    fn ensure_connected(&mut self) -> Option<Outcome> {
        if self.client.is_some() {
            return None;
        }
        if self
            .last_death
            .is_some_and(|death| self.now - death < FLAP_WINDOW_MS)
        {
            self.unhealthy = true;
            self.breaker.result(self.now, Outcome::Refused);
            return Some(Outcome::Refused);
        }
        (!self.connect()).then_some(Outcome::Failed)
    }

    fn forward(&mut self, answer: Answer) -> Option<&'static str> {
        self.executions += 1;
        match answer {
            Answer::Result => None,
            Answer::Error(text) => Some(text),
            Answer::TimesOut => Some("Request timed out"),
            Answer::Crashes => {
                let child = self.client.take();
                self.alive.retain(|alive| Some(*alive) != child);
                Some("Connection closed")
            }
        }
    }
}

/// Its breaker: every failure counts, half open lets everybody through, any success closes.
#[derive(Default)]
pub(super) struct OriginalBreaker {
    failures: u32,
    open_until: Option<u64>,
    half_open: bool,
    opens: u32,
    pub(super) blocker_fired: bool,
}

impl OriginalBreaker {
    pub(super) fn is_open(&self, now: u64) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open_until.is_none() && !self.half_open
    }

    pub(super) fn admits(&mut self, now: u64) -> bool {
        if self.open_until.is_some_and(|until| now >= until) {
            self.open_until = None;
            self.half_open = true;
        }
        self.open_until.is_none()
    }

    pub(super) fn result(&mut self, now: u64, outcome: Outcome) {
        match outcome {
            Outcome::Ok => {
                self.failures = 0;
                self.open_until = None;
                self.half_open = false;
                self.opens = 0;
            }
            Outcome::Failed | Outcome::Refused => {
                self.failures += 1;
                if self.open_until.is_none() && (self.half_open || self.failures >= 5) {
                    self.open_until = Some(now + 30_000);
                    self.half_open = false;
                    self.opens += 1;
                    self.blocker_fired |= self.opens >= 3;
                }
            }
        }
    }
}
