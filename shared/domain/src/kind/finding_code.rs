//! The codes of findings, each with its rule, its severity and who fixes it. Their names are part of the API and of stored
//! sends. Their texts are in `words/`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::record_kind::RecordKind;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Skolverket will refuse it, or requires something else by its documentation.
    Error,
    /// Skolverket takes it; somebody should look at it all the same.
    Warning,
}

/// Where a finding is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mender {
    /// In the register of students, staff and groups.
    StudentRegister,
    /// Where federated user names are given out.
    IdentityProvider,
    /// In Skolverket's register of school units.
    SchoolUnitRegister,
    /// In the system that sends.
    ThisSystem,
    /// In the organiser's settings here, by the operator of the service.
    Operator,
}

/// The codes, each with its rule (`shared/domain/README.md`), its severity and its mender. Those about the body's form have
/// no rule of their own: it is that of the attribute.
macro_rules! finding_codes {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$code_doc:meta])* $code:ident ($rule:expr, $severity:ident, $mender:ident)),+ $(,)?
    }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        $(#[$doc])*
        pub enum $name {
            $($(#[$code_doc])* $code),+
        }

        impl $name {
            fn row(self) -> (Option<u8>, Severity, Mender) {
                match self {
                    $(Self::$code => ($rule, Severity::$severity, Mender::$mender)),+
                }
            }
        }
    };
}

finding_codes!(
    /// What is wrong. The words are in [`FindingCode::text`].
    ///
    /// The first twelve are about the body's form. They are binding: what is missing, of another type, outside a closed
    /// vocabulary, twice there, too long or not there at all cannot be read, stored or put into a call, whatever the sender
    /// wishes.
    /// The others are about what a readable body says. There Skolverket has the last word, and a sender who chose
    /// `warnOnly` may let it judge; but a protected person never goes without the organiser's attestation.
    #[schemars(description = "What is wrong, or worth a look.")]
    FindingCode {
        /// An attribute that does not belong here.
        UnknownAttribute (None, Error, ThisSystem),
        /// An attribute that stands twice in one object.
        DuplicateAttribute (None, Error, ThisSystem),
        /// A required attribute is absent.
        MissingAttribute (None, Error, ThisSystem),
        /// A text where a number must be, and the like; `null` is one.
        WrongType (None, Error, ThisSystem),
        /// A text that is not a UUID or a code of the right form.
        WrongFormat (None, Error, ThisSystem),
        /// A value outside the allowed ones.
        NotAllowed (None, Error, ThisSystem),
        /// A list with too few or too many entries.
        WrongCount (None, Error, ThisSystem),
        /// An id that another record of the send has.
        DuplicateId (None, Error, ThisSystem),
        /// A reference to a record that is not in the send. A warning where references may be external.
        MissingReference (None, Error, ThisSystem),
        /// A record that is too large to be sent.
        TooLarge (None, Error, ThisSystem),
        /// A name or display name that is longer than 255 characters.
        NameTooLong (None, Error, ThisSystem),
        /// A person without an EPPN, or with an empty one.
        EppnMissing (Some(5), Error, IdentityProvider),
        /// A person whose names are all blank.
        NamesBlank (Some(4), Error, StudentRegister),
        /// A person one of whose names is blank.
        NameBlank (Some(4), Warning, StudentRegister),
        /// A name with a control character.
        NameControlCharacter (Some(4), Error, StudentRegister),
        /// A name with a character that nobody sees, or one that turns the direction.
        NameInvisibleCharacter (Some(4), Warning, StudentRegister),
        /// An EPPN with a control or invisible character.
        EppnInvisibleCharacter (Some(5), Error, IdentityProvider),
        /// An EPPN that is not a local part, one `@` and a domain.
        EppnForm (Some(5), Error, IdentityProvider),
        /// An EPPN that another person of the send has.
        EppnShared (Some(5), Error, IdentityProvider),
        /// A person with both an enrolment and a duty.
        StudentAndStaff (Some(5), Error, StudentRegister),
        /// An EPPN that holds the beginning of its holder's name.
        EppnShowsName (Some(6), Warning, IdentityProvider),
        /// An EPPN that holds its holder's birth date.
        EppnShowsBirthDate (Some(6), Warning, IdentityProvider),
        /// An EPPN that holds its holder's civic number.
        EppnShowsCivicNumber (Some(6), Warning, IdentityProvider),
        /// A civic number that is not twelve characters of one of the three forms.
        CivicNumberForm (Some(7), Error, StudentRegister),
        /// A civic number whose date does not exist.
        CivicNumberDate (Some(7), Error, StudentRegister),
        /// A civic number with a wrong check digit.
        CivicNumberCheckDigit (Some(7), Error, StudentRegister),
        /// A coordination number of somebody whose birth date is not known.
        CivicNumberBirthUnknown (Some(7), Warning, StudentRegister),
        /// A civic number with the birth number 000.
        CivicNumberBirthNumber (Some(7), Warning, StudentRegister),
        /// A civic number of somebody who is not born yet.
        CivicNumberInFuture (Some(7), Warning, StudentRegister),
        /// A civic number that another person of the same role has.
        CivicNumberShared (Some(7), Warning, StudentRegister),
        /// A civic number that another country than Sweden issued.
        Nationality (Some(7), Error, StudentRegister),
        /// A person with a duty and without an e-mail address of the school's staff.
        StaffEmailMissing (Some(8), Error, StudentRegister),
        /// A person with a duty whose e-mail address of the school's staff is none.
        StaffEmailForm (Some(8), Error, StudentRegister),
        /// An e-mail address that Skolverket does not use.
        EmailType (Some(8), Warning, StudentRegister),
        /// An enrolment of a school type that has school years, without one.
        SchoolYearMissing (Some(9), Error, StudentRegister),
        /// An enrolment of upper secondary school without a study path.
        EducationCodeMissing (Some(9), Error, StudentRegister),
        /// An external identifier of somebody who is a student.
        ExternalIdentifierOfStudent (Some(10), Error, StudentRegister),
        /// An external identifier that is not eduID's.
        ExternalIdentifierContext (Some(10), Error, IdentityProvider),
        /// A protected person, where the organiser does not attest its routine for such.
        ProtectedNotAttested (Some(11), Error, Operator),
        /// A person with neither an enrolment nor a duty.
        NoEnrolmentNoDuty (Some(12), Warning, StudentRegister),
        /// A name that is longer than 64 characters.
        LongName (Some(12), Warning, StudentRegister),
        /// A school unit where nobody is principal or school administrator.
        SchoolUnitWithoutLeader (Some(13), Warning, StudentRegister),
        /// A group or an activity whose name is blank.
        DisplayNameBlank (Some(14), Error, ThisSystem),
        /// A member that a group names twice.
        MemberNamedTwice (Some(14), Warning, StudentRegister),
        /// A member of a group who is staff.
        StaffMember (Some(14), Warning, StudentRegister),
        /// A member of a group whose enrolment is cancelled.
        MemberCancelled (Some(14), Warning, StudentRegister),
        /// A group without members.
        GroupWithoutMembers (Some(14), Warning, StudentRegister),
        /// A student in two classes.
        StudentInTwoClasses (Some(14), Warning, StudentRegister),
        /// A member of a group who is enrolled, but not at the group's school unit.
        MemberOfOtherSchoolUnit (Some(14), Warning, StudentRegister),
        /// A member of a group who is enrolled there, but for another school type.
        MemberOfOtherSchoolType (Some(14), Warning, StudentRegister),
        /// An activity without teachers.
        ActivityWithoutTeachers (Some(15), Warning, ThisSystem),
        /// A group that an activity names twice.
        GroupNamedTwice (Some(15), Warning, ThisSystem),
        /// A teacher whom an activity names twice.
        TeacherNamedTwice (Some(15), Warning, ThisSystem),
        /// A duty of the same person at the same school unit in the same role as another.
        DutiesAlike (Some(15), Warning, StudentRegister),
        /// A group of an activity that is of another school unit.
        GroupOfOtherSchoolUnit (Some(15), Warning, ThisSystem),
        /// A teacher of an activity whose duty is at another school unit.
        TeacherOfOtherSchoolUnit (Some(16), Warning, ThisSystem),
        /// An activity in which several teachers meet several groups.
        SeveralTeachersAndGroups (Some(16), Warning, ThisSystem),
        /// A group of an activity that is no teaching group.
        GroupNotTeaching (Some(16), Warning, ThisSystem),
        /// A student whose school year is not that of the test.
        MemberOfOtherSchoolYear (Some(16), Warning, ThisSystem),
        /// A school unit that Skolverket's register does not have.
        SchoolUnitUnknown (Some(3), Error, StudentRegister),
        /// A school unit that another organiser runs.
        SchoolUnitOfAnother (Some(3), Error, SchoolUnitRegister),
        /// A school unit that has ceased, or is not in the test service.
        SchoolUnitOutOfUse (Some(3), Warning, SchoolUnitRegister),
        /// A school type that the school unit does not offer.
        SchoolTypeNotOffered (Some(9), Error, StudentRegister),
        /// A school year that the school unit does not offer.
        SchoolYearNotOffered (Some(9), Warning, StudentRegister),
        /// A study path that Skolverket's register does not have.
        EducationCodeUnknown (Some(9), Error, StudentRegister),
        /// A study path that cannot be used yet.
        EducationCodeToCome (Some(9), Error, StudentRegister),
        /// A study path that is not in use.
        EducationCodeOutOfUse (Some(9), Warning, StudentRegister),
        /// A national test that Skolverket's register does not have.
        TestUnknown (Some(3), Error, ThisSystem),
        /// An attribute that Skolverket does not take from senders: it is left out.
        AttributeNotTaken (Some(17), Warning, ThisSystem),
    }
);

impl FindingCode {
    /// The number of the rule (`shared/domain/README.md`) that is broken. `None` for the codes about the body's form, whose
    /// rule is that of the attribute.
    pub fn rule(self) -> Option<u8> {
        self.row().0
    }

    /// How much it weighs.
    pub fn severity(self) -> Severity {
        self.row().1
    }

    /// Where it is fixed, in general.
    pub fn mender(self) -> Mender {
        self.row().2
    }

    /// Whether it refuses a send whatever `options.validation` says.
    pub fn is_binding(self) -> bool {
        self <= Self::EppnMissing || self == Self::ProtectedNotAttested
    }

    /// For a finding about several records: the other kinds of record that it depends on. When one of them is
    /// corrected, it may no longer hold.
    pub(crate) fn found_by(self) -> &'static [RecordKind] {
        use RecordKind::{Activity, Duty, Group, Person};
        match self {
            Self::EppnShared => &[Person],
            Self::CivicNumberShared => &[Person, Duty],
            Self::StudentAndStaff
            | Self::StaffEmailMissing
            | Self::StaffEmailForm
            | Self::NoEnrolmentNoDuty
            | Self::SchoolUnitWithoutLeader
            | Self::DutiesAlike
            | Self::TeacherOfOtherSchoolUnit => &[Duty],
            Self::MemberCancelled
            | Self::StudentInTwoClasses
            | Self::MemberOfOtherSchoolUnit
            | Self::MemberOfOtherSchoolType
            | Self::GroupNotTeaching
            | Self::GroupOfOtherSchoolUnit => &[Group],
            Self::StaffMember => &[Duty, Group],
            Self::MemberOfOtherSchoolYear => &[Group, Activity],
            _ => &[],
        }
    }
}
