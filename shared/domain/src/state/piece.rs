//! A split batch: which of its records are still to be sent, piece by piece, after Skolverket refused it as a whole.
//!
//! A batch is one piece as long as nothing goes wrong. A body that was too large, or refused without saying why,
//! becomes two halves; a record that was named as the culprit leaves its piece; records with a transient fault are
//! gathered into a later piece. The batch closes when no piece is left. No body is copied: a piece is a list of
//! places in the batch's body.

use serde::{Deserialize, Serialize};

use crate::state::outcome::Outcome;

/// Rounds that records with a transient fault are sent again, with growing pauses, before they are errors.
pub const ROUNDS: u32 = 3;

/// Records of a batch that are sent in one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Their places in the batch, from 0, ascending.
    pub records: Vec<u32>,
    /// How often they were sent before and met a transient fault.
    #[serde(default)]
    pub round: u32,
    /// They went in a call whose outcome was never seen, and in none since: Skolverket may have them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
}

impl Piece {
    /// All records of a batch of so many.
    pub fn whole(total: u32) -> Self {
        Self { records: (0..total).collect(), round: 0, uncertain: false }
    }

    /// The outcome of its records, if nothing more is heard of them.
    pub fn unheard(&self) -> Outcome {
        if self.uncertain { Outcome::Unknown } else { Outcome::NotSent }
    }

    /// Two pieces of about the same size; none where there is only one record.
    pub fn halves(&self) -> Option<[Self; 2]> {
        if self.records.len() < 2 {
            return None;
        }
        let (first, second) = self.records.split_at(self.records.len() / 2);
        Some([first, second].map(|records| Self { records: records.to_vec(), ..self.clone() }))
    }

    /// The piece without one record; none where no other is left.
    pub fn without(&self, record: u32) -> Option<Self> {
        let records: Vec<_> = self.records.iter().copied().filter(|other| *other != record).collect();
        (!records.is_empty()).then_some(Self { records, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn halving_to_the_end_keeps_every_record_once(total in 1_u32..200) {
            let (mut todo, mut single) = (vec![Piece::whole(total)], Vec::new());
            let mut steps = 0;
            while let Some(piece) = todo.pop() {
                steps += 1;
                match piece.halves() {
                    Some(halves) => todo.extend(halves),
                    None => single.extend(piece.records),
                }
            }
            single.sort_unstable();
            prop_assert_eq!(single, (0..total).collect::<Vec<_>>());
            prop_assert_eq!(steps, 2 * total - 1);
        }
    }

    #[test]
    fn a_culprit_leaves_its_piece() {
        let piece = Piece { records: vec![2, 5, 7], round: 1, uncertain: true };
        assert_eq!(piece.without(5), Some(Piece { records: vec![2, 7], ..piece.clone() }));
        assert_eq!(Piece { records: vec![2], ..piece }.without(2), None);
    }
}
