use super::*;

fn error(code: ErrorCode) -> AppError {
    AppError::new(code, "", "")
}

#[test]
fn codes_are_the_documented_ones() {
    let codes = [
        (Exit::Done, 0),
        (Exit::Usage, 2),
        (Exit::Backend, 3),
        (Exit::Stopped, 4),
        (Exit::Failed, 5),
        (Exit::Interrupted, 130),
    ];
    for (exit, code) in codes {
        assert_eq!(exit.code(), code, "{exit:?}");
    }
}

#[test]
fn a_provider_that_failed_is_a_missing_backend_and_a_limit_is_not() {
    let unreachable = PauseReason::ProviderFailed {
        error: error(ErrorCode::BackendUnreachable),
    };
    let full = PauseReason::ProviderFailed {
        error: error(ErrorCode::ContextFull),
    };
    let died = PauseReason::AgentDied {
        error: error(ErrorCode::AgentDied),
    };
    assert_eq!(Exit::of_pause(&unreachable), Exit::Backend);
    assert_eq!(Exit::of_pause(&full), Exit::Stopped);
    assert_eq!(Exit::of_pause(&died), Exit::Failed);
    assert_eq!(
        Exit::of_pause(&PauseReason::MaxSteps { steps: 3 }),
        Exit::Stopped
    );
    assert_eq!(Exit::of_end(EndReason::Loop), Exit::Stopped);
    assert_eq!(Exit::of_end(EndReason::Completed), Exit::Done);
}

#[test]
fn of_several_tasks_the_gravest_counts() {
    assert_eq!(
        [Exit::Done, Exit::Failed, Exit::Stopped].into_iter().max(),
        Some(Exit::Failed)
    );
    assert_eq!(
        [Exit::Stopped, Exit::Backend, Exit::Failed]
            .into_iter()
            .max(),
        Some(Exit::Backend)
    );
}
