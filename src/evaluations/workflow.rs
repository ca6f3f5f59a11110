//! The life of an evaluation as data: which action leads from where to where, and who may take it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::changes::Action as Done;
use crate::tokens::permission::{Permission, Permissions};

/// Defines an enum whose variants are words on the wire and in the table, each with its Chinese.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $zh:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The word that it is on the wire and in the table.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What officials call it.
            pub fn zh(self) -> &'static str {
                match self {
                    $(Self::$variant => $zh,)*
                }
            }
        }

        impl FromStr for $name {
            /// The word that is none.
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("stored {} {word:?}", stringify!($name))),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Where an evaluation is in its life.
    State {
        /// Nothing is filed (未填报).
        NotStarted = "not_started" "未填报",
        /// Something is filed; it can be changed (填报中).
        Draft = "draft" "填报中",
        /// The unit has submitted it; it cannot be changed (已提交).
        Submitted = "submitted" "已提交",
        /// The bureau has given it back with a reason; it can be changed (已退回).
        Returned = "returned" "已退回",
        /// The bureau reviews it line by line (复核中).
        UnderReview = "under_review" "复核中",
        /// The review is done (已审定).
        Approved = "approved" "已审定",
        /// It is public (已公开).
        Published = "published" "已公开",
    }
}

impl State {
    /// Whether what is filed can be changed.
    pub fn can_be_edited(self) -> bool {
        matches!(self, Self::NotStarted | Self::Draft | Self::Returned)
    }

    /// Whether its latest submission counts, in rankings and trends.
    pub fn counts(self) -> bool {
        matches!(
            self,
            Self::Submitted | Self::UnderReview | Self::Approved | Self::Published
        )
    }
}

words! {
    /// What became of a submission.
    SubmissionState {
        /// It waits for the bureau (已提交).
        Submitted = "submitted" "已提交",
        /// The unit took it back before it was reviewed (已撤回).
        Withdrawn = "withdrawn" "已撤回",
        /// The bureau gave it back (已退回).
        Returned = "returned" "已退回",
        /// The bureau reviews it (复核中).
        UnderReview = "under_review" "复核中",
        /// The review is done (已审定).
        Approved = "approved" "已审定",
        /// It is public (已公开).
        Published = "published" "已公开",
        /// It was approved or published, and then opened again to be corrected (已重新开放).
        Reopened = "reopened" "已重新开放",
    }
}

words! {
    /// What is done to an evaluation as a whole.
    Action {
        /// The unit hands it in; it is frozen with its score.
        Submit = "submit" "提交",
        /// The unit takes it back before it is reviewed.
        Withdraw = "withdraw" "撤回",
        /// The bureau begins to review it.
        BeginReview = "begin_review" "开始复核",
        /// The bureau gives points of its own.
        Review = "review" "复核评分",
        /// The bureau gives it back to be corrected.
        Return = "return" "退回",
        /// The bureau ends the review.
        Approve = "approve" "审定",
        /// The bureau makes it public.
        Publish = "publish" "公开",
        /// The bureau opens it again although it was approved.
        Reopen = "reopen" "重新开放",
    }
}

impl Action {
    /// What the change log says when it is done.
    pub fn done(self) -> Done {
        match self {
            Self::Submit => Done::Submitted,
            Self::Withdraw => Done::Withdrawn,
            Self::BeginReview => Done::ReviewBegun,
            Self::Review => Done::Updated,
            Self::Return => Done::Returned,
            Self::Approve => Done::Approved,
            Self::Publish => Done::Published,
            Self::Reopen => Done::Reopened,
        }
    }
}

/// An action: from where it leads to where.
#[derive(Debug, Clone, Copy)]
pub struct Transition {
    /// The action.
    pub action: Action,
    /// Where it can be taken.
    pub from: &'static [State],
    /// Where it leads.
    pub to: State,
    /// What becomes of the submission that it is about.
    pub submission: SubmissionState,
    /// What it takes to take it.
    pub demands: Permission,
    /// Whether units are bound to the filing window with it.
    pub in_window: bool,
}

const fn step(
    action: Action,
    from: &'static [State],
    to: State,
    submission: SubmissionState,
    demands: Permission,
    in_window: bool,
) -> Transition {
    Transition {
        action,
        from,
        to,
        submission,
        demands,
        in_window,
    }
}

/// All that can be done, in the order of a good year. Withdrawing is bound to the window as submitting is: a unit that took
/// its submission back after it could not hand it in again.
#[rustfmt::skip]
pub static TRANSITIONS: &[Transition] = {
    use {State as S, SubmissionState as Sub};
    &[
        step(Action::Submit, &[S::Draft, S::Returned], S::Submitted, Sub::Submitted, Permission::Submit, true),
        step(Action::Withdraw, &[S::Submitted], S::Draft, Sub::Withdrawn, Permission::Submit, true),
        step(Action::BeginReview, &[S::Submitted], S::UnderReview, Sub::UnderReview, Permission::Review, false),
        step(Action::Review, &[S::UnderReview], S::UnderReview, Sub::UnderReview, Permission::Review, false),
        step(Action::Return, &[S::Submitted, S::UnderReview], S::Returned, Sub::Returned, Permission::Review, false),
        step(Action::Approve, &[S::UnderReview], S::Approved, Sub::Approved, Permission::Review, false),
        step(Action::Publish, &[S::Approved], S::Published, Sub::Published, Permission::Review, false),
        step(Action::Reopen, &[S::Approved, S::Published], S::Draft, Sub::Reopened, Permission::Review, false),
    ]
};

impl Transition {
    /// Whether a step leaves an evaluation in this state and its latest submission in that one.
    pub fn leaves(state: State, submission: SubmissionState) -> bool {
        TRANSITIONS
            .iter()
            .any(|step| step.to == state && step.submission == submission)
    }

    /// The step that an action takes from a state; `None` where it cannot be taken.
    pub fn find(action: Action, state: State) -> Option<&'static Self> {
        TRANSITIONS
            .iter()
            .find(|step| step.action == action && step.from.contains(&state))
    }
}

/// What one with these permissions may do to an evaluation in this state; nothing in a year that is closed. `in_window`:
/// whether this one may act on what is bound to the filing window; an evaluation that was returned is submitted again at any
/// time.
pub fn allowed(state: State, permissions: Permissions, in_window: bool) -> Vec<Action> {
    let may = |step: &&Transition| {
        permissions.has(step.demands) && (in_window || !step.in_window || state == State::Returned)
    };
    let steps = TRANSITIONS.iter().filter(|step| step.from.contains(&state)).filter(may);
    steps.map(|step| step.action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::model::Role;

    const STATES: [State; 7] = [
        State::NotStarted,
        State::Draft,
        State::Submitted,
        State::Returned,
        State::UnderReview,
        State::Approved,
        State::Published,
    ];

    #[test]
    fn what_can_be_edited_never_counts_and_what_counts_cannot_be_edited() {
        for state in STATES {
            assert_ne!(state.can_be_edited(), state.counts(), "{state}");
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    #[test]
    fn from_a_state_an_action_leads_to_one_place_only() {
        for state in STATES {
            for step in TRANSITIONS.iter().filter(|step| step.from.contains(&state)) {
                let same = TRANSITIONS
                    .iter()
                    .filter(|other| other.action == step.action && other.from.contains(&state));
                assert_eq!(same.count(), 1, "{state} {}", step.action);
            }
        }
    }

    #[test]
    fn every_state_that_is_reached_is_left_again_by_the_bureau_alone() {
        for step in TRANSITIONS {
            assert!(
                !allowed(step.to, Permissions::of(Role::Bureau), true).is_empty(),
                "{}",
                step.to
            );
        }
    }

    #[test]
    fn an_auditor_does_nothing_and_a_unit_submits_and_withdraws_in_the_window_only() {
        for state in STATES {
            assert_eq!(allowed(state, Permissions::of(Role::Auditor), true), []);
        }
        let unit = Permissions::of(Role::Unit);
        assert_eq!(allowed(State::Draft, unit, true), [Action::Submit]);
        assert_eq!(allowed(State::Submitted, unit, true), [Action::Withdraw]);
        assert_eq!(allowed(State::Draft, unit, false), []);
        assert_eq!(allowed(State::Submitted, unit, false), []);
        assert_eq!(allowed(State::Returned, unit, false), [Action::Submit]);
        assert_eq!(allowed(State::UnderReview, unit, true), []);
    }
}
