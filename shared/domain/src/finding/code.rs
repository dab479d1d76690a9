//! The kinds of finding. Their names are part of the interface, and stand in stored sends.

use serde::{Deserialize, Serialize};

use super::{Kind, Mender, Severity};
use crate::stage::StageName;

/// What is wrong. The words are in [`FindingCode::text`].
///
/// The first twelve are about the body's form. They are binding: what is missing, of another type, outside a closed
/// vocabulary, twice there, too long or not there at all cannot be read, stored or put into a call, whatever the sender
/// wishes.
/// The others are about what a readable body says. There Skolverket has the last word, and a sender who chose
/// `warnOnly` may let it judge; but a protected person never goes without the organiser's attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FindingCode {
    /// An attribute that does not belong here.
    UnknownAttribute,
    /// An attribute that stands twice in one object.
    DuplicateAttribute,
    /// A required attribute is absent.
    MissingAttribute,
    /// A text where a number must be, and the like; `null` is one.
    WrongType,
    /// A text that is not a UUID or a code of the right form.
    WrongFormat,
    /// A value outside the allowed ones.
    NotAllowed,
    /// A list with too few or too many entries.
    WrongCount,
    /// An id that another record of the send has.
    DuplicateId,
    /// A reference to a record that is not in the send. A warning where references may be external.
    MissingReference,
    /// A record that is too large to be sent.
    TooLarge,
    /// A name or display name that is longer than 255 characters.
    NameTooLong,
    /// A person without an EPPN, or with an empty one.
    EppnMissing,
    /// A person whose names are all blank.
    NamesBlank,
    /// A person one of whose names is blank.
    NameBlank,
    /// A name with a control character.
    NameControlCharacter,
    /// A name with a character that nobody sees, or one that turns the direction.
    NameInvisibleCharacter,
    /// An EPPN with a control or invisible character.
    EppnInvisibleCharacter,
    /// An EPPN that is not a local part, one `@` and a domain.
    EppnForm,
    /// An EPPN that another person of the send has.
    EppnShared,
    /// A person with both an enrolment and a duty.
    StudentAndStaff,
    /// An EPPN that holds the beginning of its holder's name.
    EppnShowsName,
    /// An EPPN that holds its holder's birth date.
    EppnShowsBirthDate,
    /// An EPPN that holds its holder's civic number.
    EppnShowsCivicNumber,
    /// A civic number that is not twelve characters of one of the three forms.
    CivicNumberForm,
    /// A civic number whose date does not exist.
    CivicNumberDate,
    /// A civic number with a wrong check digit.
    CivicNumberCheckDigit,
    /// A coordination number of somebody whose birth date is not known.
    CivicNumberBirthUnknown,
    /// A civic number with the birth number 000.
    CivicNumberBirthNumber,
    /// A civic number of somebody who is not born yet.
    CivicNumberInFuture,
    /// A civic number that another person of the same role has.
    CivicNumberShared,
    /// A civic number that another country than Sweden issued.
    Nationality,
    /// A person with a duty and without an e-mail address of the school's staff.
    StaffEmailMissing,
    /// A person with a duty whose e-mail address of the school's staff is none.
    StaffEmailForm,
    /// An e-mail address that Skolverket does not use.
    EmailType,
    /// An enrolment of a school type that has school years, without one.
    SchoolYearMissing,
    /// An enrolment of upper secondary school without a study path.
    EducationCodeMissing,
    /// An external identifier of somebody who is a student.
    ExternalIdentifierOfStudent,
    /// An external identifier that is not eduID's.
    ExternalIdentifierContext,
    /// A protected person, where the organiser does not attest its routine for such.
    ProtectedNotAttested,
    /// A person with neither an enrolment nor a duty.
    NoEnrolmentNoDuty,
    /// A name that is longer than 64 characters.
    LongName,
    /// A school unit where nobody is principal or school administrator.
    SchoolUnitWithoutLeader,
    /// A group or an activity whose name is blank.
    DisplayNameBlank,
    /// A member that a group names twice.
    MemberNamedTwice,
    /// A member of a group who is staff.
    StaffMember,
    /// A member of a group whose enrolment is cancelled.
    MemberCancelled,
    /// A group without members.
    GroupWithoutMembers,
    /// A student in two classes.
    StudentInTwoClasses,
    /// A member of a group who is enrolled, but not at the group's school unit.
    MemberOfOtherSchoolUnit,
    /// A member of a group who is enrolled there, but for another school type.
    MemberOfOtherSchoolType,
    /// An activity without teachers.
    ActivityWithoutTeachers,
    /// A group that an activity names twice.
    GroupNamedTwice,
    /// A teacher whom an activity names twice.
    TeacherNamedTwice,
    /// A duty of the same person at the same school unit in the same role as another.
    DutiesAlike,
    /// A group of an activity that is of another school unit.
    GroupOfOtherSchoolUnit,
    /// A teacher of an activity whose duty is at another school unit.
    TeacherOfOtherSchoolUnit,
    /// An activity in which several teachers meet several groups.
    SeveralTeachersAndGroups,
    /// A group of an activity that is no teaching group.
    GroupNotTeaching,
    /// A student whose school year is not that of the test.
    MemberOfOtherSchoolYear,
    /// A school unit that Skolverket's register does not have.
    SchoolUnitUnknown,
    /// A school unit that another organiser runs.
    SchoolUnitOfAnother,
    /// A school unit that has ceased, or is not in the test service.
    SchoolUnitOutOfUse,
    /// A school type that the school unit does not offer.
    SchoolTypeNotOffered,
    /// A school year that the school unit does not offer.
    SchoolYearNotOffered,
    /// A study path that Skolverket's register does not have.
    EducationCodeUnknown,
    /// A study path that cannot be used yet.
    EducationCodeToCome,
    /// A study path that is not in use.
    EducationCodeOutOfUse,
    /// A national test that Skolverket's register does not have.
    TestUnknown,
    /// An attribute that Skolverket does not take from senders: it is left out.
    AttributeNotTaken,
}

impl FindingCode {
    /// The rule in the domain description that it is a breach of; none of those about the body's form, whose rule is
    /// that of the attribute.
    pub fn rule(self) -> Option<u8> {
        self.about().rule
    }

    /// How much it weighs.
    pub fn severity(self) -> Severity {
        self.about().severity
    }

    /// Where it is mended, in general.
    pub fn mender(self) -> Mender {
        self.about().mender
    }

    /// What is wrong, why it matters, and what to do: in English, in Swedish.
    pub fn text(self) -> (&'static str, &'static str) {
        let about = self.about();
        (about.en, about.sv)
    }

    /// Whether it refuses a send whatever `options.validation` says.
    pub fn is_binding(self) -> bool {
        self <= Self::EppnMissing || self == Self::ProtectedNotAttested
    }

    /// The kind of a finding of this code with a record that was accepted. Of what is binding that can only be a
    /// reference to a record that may be at Skolverket already (rule 2).
    pub(super) fn accepted_kind(self) -> Kind {
        if self.is_binding() { Kind::form(self, Some(2)).warning() } else { Kind::of(self) }
    }

    /// The kinds of record beside its own by which it was found, where it says something of several together. When one
    /// of them was corrected, it may not hold any more.
    pub(crate) fn found_by(self) -> &'static [StageName] {
        use StageName::{Activities, Duties, Groups, Users};
        match self {
            Self::EppnShared => &[Users],
            Self::CivicNumberShared => &[Users, Duties],
            Self::StudentAndStaff
            | Self::StaffEmailMissing
            | Self::StaffEmailForm
            | Self::NoEnrolmentNoDuty
            | Self::SchoolUnitWithoutLeader
            | Self::DutiesAlike
            | Self::TeacherOfOtherSchoolUnit => &[Duties],
            Self::MemberCancelled
            | Self::StudentInTwoClasses
            | Self::MemberOfOtherSchoolUnit
            | Self::MemberOfOtherSchoolType
            | Self::GroupNotTeaching
            | Self::GroupOfOtherSchoolUnit => &[Groups],
            Self::StaffMember => &[Duties, Groups],
            Self::MemberOfOtherSchoolYear => &[Groups, Activities],
            _ => &[],
        }
    }
}
