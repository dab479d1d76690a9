//! Closed vocabularies: enums whose values are words. Those of SS 12000 are here, as far as Skolverket takes them.

/// Shows and reads an enum by its words. It has `ALL` and `as_str`; `kind` is its name in errors.
macro_rules! in_words {
    ($name:ident, $kind:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kind::id::InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let invalid = $crate::kind::id::InvalidId($kind);
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(invalid)
            }
        }
    };
}
pub(crate) use in_words;

/// An enum of words, each written in JSON as it stands here.
macro_rules! vocabulary {
    ($(#[$attribute:meta])* $name:ident {
        $($(#[$word_attribute:meta])* $variant:ident = $word:literal),+ $(,)?
    }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $(#[$attribute])*
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "` ")]
                $(#[$word_attribute])*
                #[serde(rename = $word)]
                $variant
            ),+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every word, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it is written in JSON, in addresses and in the history.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        $crate::kind::vocabulary::in_words!($name, stringify!($name));
    };
}
pub(crate) use vocabulary;

vocabulary!(
    /// What kind of school (domain rules 9 and 14).
    SchoolType { Gr = "GR", Sp = "SP", Sam = "SAM", Gy = "GY", Vuxgy = "VUXGY" }
);
vocabulary!(
    /// What a duty is for (domain rule 13).
    DutyRole {
        Rektor = "Rektor",
        Larare = "Lärare",
        Forskollarare = "Förskollärare",
        Barnskotare = "Barnskötare",
        Bibliotekarie = "Bibliotekarie",
        Lararassistent = "Lärarassistent",
        Fritidspedagog = "Fritidspedagog",
        AnnanPersonal = "Annan personal",
        StudieOchYrkesvagledare = "Studie- och yrkesvägledare",
        Forstelarare = "Förstelärare",
        Kurator = "Kurator",
        Skolskoterska = "Skolsköterska",
        Skollakare = "Skolläkare",
        Skolpsykolog = "Skolpsykolog",
        Speciallarare = "Speciallärare/specialpedagog",
        Skoladministrator = "Skoladministratör",
        OvrigArbetsledning = "Övrig arbetsledning",
    }
);
vocabulary!(
    /// The kinds of group that Skolverket takes (domain rule 14); SS 12000 has more.
    GroupType { Klass = "Klass", Undervisning = "Undervisning" }
);
vocabulary!(
    /// The kind of activity that Skolverket takes (domain rule 15); SS 12000 has more.
    ActivityType { Undervisning = "Undervisning" }
);
vocabulary!(
    /// Protected identity, as in the population register (domain rule 11).
    SecurityMarking {
        Ingen = "Ingen",
        Sekretessmarkering = "Sekretessmarkering",
        SkyddadFolkbokforing = "Skyddad folkbokföring",
    }
);
vocabulary!(
    /// What an e-mail address is for. Skolverket uses the two of the school only (domain rule 8).
    EmailType {
        Privat = "Privat",
        SkolaElev = "Skola elev",
        SkolaPersonal = "Skola personal",
        ArbeteOvrigt = "Arbete övrigt",
    }
);

impl DutyRole {
    /// A person's roles, as a row shows them.
    pub(crate) fn list(roles: &[Self]) -> String {
        roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
    }
}
