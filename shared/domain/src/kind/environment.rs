//! Skolverket's environments.

use crate::kind::vocabulary::vocabulary;

vocabulary!(
    /// Where a send goes. Tokens for both come from the same authorization server (shared/README, Skolverket 11).
    #[derive(Default, PartialOrd, Ord)]
    #[schemars(description = "Where a send goes.")]
    Environment {
        /// The one that tests are taken in.
        #[default]
        Production = "production",
        /// Verifieringstest: for trying out, with data of its own.
        Verification = "verification",
    }
);
