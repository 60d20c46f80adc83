// SPDX-License-Identifier: Apache-2.0
//! What the guest says on its console, and whether it is all that was to be
//! said.

/// Reads the lines as they come.
#[derive(Default)]
pub(super) struct Transcript {
    announced: Option<usize>,
    passed: usize,
    failures: Vec<String>,
    running: Option<String>,
    /// What is to be shown again at the end.
    facts: Vec<String>,
    last: String,
}

impl Transcript {
    pub(super) fn line(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("scenarios: ") {
            self.announced = count.parse().ok();
        } else if let Some(name) = line.strip_prefix("--- ") {
            self.running = Some(name.to_owned());
        } else if line.starts_with("ok ") {
            self.passed += 1;
            self.running = None;
        } else if line.starts_with("FAILED ") {
            self.failures.push(line.to_owned());
            self.running = None;
        } else if line.starts_with("measured ") || line.starts_with("counts ") {
            self.facts.push(line.to_owned());
        }
        // The kernel's own lines begin with the time.
        if !line.trim().is_empty() && !line.starts_with('[') {
            self.last = line.to_owned();
        }
    }

    /// What is to be shown again at the end.
    pub(super) fn facts(&self) -> &[String] {
        &self.facts
    }

    /// The scenario that has begun and not ended.
    pub(super) fn running(&self) -> &str {
        self.running.as_deref().unwrap_or("none")
    }

    /// How many passed, if all that were announced did and the guest says so
    /// itself.
    pub(super) fn verdict(&self) -> Result<usize, String> {
        if !self.failures.is_empty() {
            return Err(self.failures.join("\n"));
        }
        let expected = format!("{} passed, 0 failed", self.passed);
        if self.last != expected {
            return Err(format!(
                "the guest's last line is not `{expected}` but `{}`; running: {}",
                self.last,
                self.running()
            ));
        }
        match self.announced {
            Some(announced) if announced == self.passed && announced > 0 => Ok(announced),
            announced => Err(format!("{} scenarios ended, of {announced:?}", self.passed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Transcript;

    fn verdict(text: &str) -> Result<usize, String> {
        let mut transcript = Transcript::default();
        text.lines().for_each(|line| transcript.line(line));
        transcript.verdict()
    }

    #[test]
    fn all_that_was_announced_has_to_pass() {
        assert_eq!(verdict("scenarios: 2\n--- a\nok a\n--- b\nok b\n2 passed, 0 failed"), Ok(2));
        assert!(verdict("scenarios: 3\n--- a\nok a\n--- b\nok b\n2 passed, 0 failed").is_err());
        assert!(verdict("--- a\nok a\n1 passed, 0 failed").is_err());
        assert!(verdict("scenarios: 0\n0 passed, 0 failed").is_err());
        assert!(verdict("").is_err());
    }

    #[test]
    fn a_failure_is_told_with_its_reason() {
        let failed = "scenarios: 2\n--- a\nok a\n--- b\nFAILED b: why\n1 passed, 1 failed";
        assert_eq!(verdict(failed), Err("FAILED b: why".to_owned()));
    }

    #[test]
    fn an_end_without_the_last_line_is_told_with_what_was_running() {
        let message = verdict("scenarios: 2\n--- a\nok a\n--- b\nKernel panic").unwrap_err();
        assert!(message.contains("running: b"), "{message}");
        let message = verdict("scenarios: 1\n--- a\nok a\n[    3.8] panic").unwrap_err();
        assert!(message.contains("running: none"), "{message}");
    }
}
