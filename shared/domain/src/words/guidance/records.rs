//! What Skolverket's messages say of a record.

use crate::words::guidance::entry::About::{self, Any, Attribute};
use crate::words::guidance::entry::Entry;
use crate::words::guidance::{Guidance, Who};

/// Ids of messages about a value that is missing or has a form that is not taken. The same ids stand for parameters.
const FORM: &[&str] = &["2010", "2011", "2025", "3085"];
/// Of an object that a record refers to and that is not there.
const NOT_FOUND: &[&str] = &["4001"];

const NO_SCHOOL_UNIT: Guidance = Guidance::new(
    Who::SchoolUnitRegister,
    [
        "Skolenheten saknas, eller Skolverket känner inte till den.",
        "Kontrollera skolenhetskoden i källsystemet mot Skolverkets skolenhetsregister, rätta den som är fel och återuppta sändningen.",
    ],
    [
        "The school unit is missing, or Skolverket does not know it.",
        "Compare the school unit code in the source system with Skolverket's register of school units, mend the one that is wrong and resume the send.",
    ],
);

const NO_TEST: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Provet saknas, eller Skolverket känner inte till provkoden.",
        "Välj ett prov som Skolverket har öppnat, med rätt provkod, och återuppta sändningen.",
    ],
    [
        "The test is missing, or Skolverket does not know its test code.",
        "Choose a test that Skolverket has opened, with the right test code, and resume the send.",
    ],
);

const NO_MEMBER: Guidance = Guidance::new(
    Who::StudentRegister,
    [
        "Gruppen har medlemmar som Skolverket inte har tagit emot. De kan inte göra provet med gruppen.",
        "Rätta de elever som inte godtogs och återuppta sändningen: gruppen måste skickas på nytt när de finns.",
    ],
    [
        "The group has members that Skolverket has not accepted. They cannot take the test with the group.",
        "Mend the students that were not accepted and resume the send: the group must be sent anew once they are there.",
    ],
);

const NO_PERSON: Guidance = Guidance::new(
    Who::StudentRegister,
    [
        "Posten hänvisar till en person som Skolverket inte har tagit emot.",
        "Rätta personen, som finns bland användarna, och återuppta sändningen.",
    ],
    [
        "The record refers to a person that Skolverket has not accepted.",
        "Mend the person, who is among the users, and resume the send.",
    ],
);

const NO_GROUP: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Aktiviteten hänvisar till en grupp som Skolverket inte har tagit emot.",
        "Se varför gruppen inte godtogs, rätta den och återuppta sändningen.",
    ],
    [
        "The activity refers to a group that Skolverket has not accepted.",
        "See why the group was not accepted, mend it and resume the send.",
    ],
);

const NO_DUTY: Guidance = Guidance::new(
    Who::StudentRegister,
    [
        "Aktiviteten hänvisar till en tjänstgöring som Skolverket inte har tagit emot.",
        "Se varför lärarens tjänstgöring inte godtogs, rätta den och återuppta sändningen.",
    ],
    [
        "The activity refers to a duty that Skolverket has not accepted.",
        "See why the teacher's duty was not accepted, mend it and resume the send.",
    ],
);

/// The attribute is missing or has a form that is not taken, and this is where it comes from.
const fn form(about: &'static [About], who: Who, sv: [&'static str; 2], en: [&'static str; 2]) -> Entry {
    Entry { ids: FORM, about, guidance: Guidance::new(who, sv, en) }
}

/// Rows for messages about records.
pub(super) const ENTRIES: &[Entry] = &[
    form(
        &[Attribute("schoolYear")],
        Who::StudentRegister,
        [
            "Årskursen saknas eller är inte mellan 1 och 10, som Skolverket kräver i grundskola, anpassad grundskola och sameskola.",
            "Rätta årskursen på elevens inskrivning i elevregistret och återuppta sändningen.",
        ],
        [
            "The school year is missing, or not between 1 and 10, as Skolverket demands for compulsory schools.",
            "Mend the school year of the student's enrolment in the student register and resume the send.",
        ],
    ),
    form(
        &[Attribute("educationCode")],
        Who::StudentRegister,
        [
            "Studievägskoden saknas eller är ogiltig. Den krävs för elever i gymnasieskolan.",
            "Rätta studievägskoden på elevens inskrivning i elevregistret och återuppta sändningen.",
        ],
        [
            "The programme code is missing or not valid. It is required for students in upper secondary school.",
            "Mend the programme code of the student's enrolment in the student register and resume the send.",
        ],
    ),
    form(
        &[Attribute("schoolType")],
        Who::StudentRegister,
        [
            "Skolformen saknas eller är ingen av GR, SP, SAM, GY och VUXGY.",
            "Rätta skolformen i elevregistret och återuppta sändningen.",
        ],
        [
            "The school type is missing, or none of GR, SP, SAM, GY and VUXGY.",
            "Mend the school type in the student register and resume the send.",
        ],
    ),
    form(
        &[Attribute("enrolments"), Attribute("Enrolment")],
        Who::StudentRegister,
        [
            "Elevens inskrivning är ofullständig eller ogiltig.",
            "Rätta inskrivningen (skolenhet, skolform, årskurs eller studieväg) i elevregistret och återuppta sändningen.",
        ],
        [
            "The student's enrolment is incomplete or not valid.",
            "Mend the enrolment (school unit, school type, school year or programme) in the student register and resume the send.",
        ],
    ),
    form(
        &[Attribute("civicNo"), Attribute("CivicNo.value")],
        Who::StudentRegister,
        [
            "Personnumret, samordningsnumret eller TF-numret saknas eller har fel form.",
            "Rätta numret i elev- eller personalregistret, med århundrade och tolv tecken, och återuppta sändningen.",
        ],
        [
            "The personal, coordination or temporary number is missing or has a wrong form.",
            "Mend the number in the register of students or staff, twelve characters with the century, and resume the send.",
        ],
    ),
    form(
        &[Attribute("nationality")],
        Who::StudentRegister,
        [
            "Numrets land är inte SE, det enda som Skolverket tar emot.",
            "Rätta numrets land i elev- eller personalregistret och återuppta sändningen.",
        ],
        [
            "The number's country is not SE, the only one that Skolverket takes.",
            "Mend the number's country in the register of students or staff and resume the send.",
        ],
    ),
    form(
        &[Attribute("givenName"), Attribute("middleName"), Attribute("familyName")],
        Who::StudentRegister,
        [
            "Personens namn saknas eller kan inte tas emot.",
            "Rätta för- och efternamn i elev- eller personalregistret och återuppta sändningen.",
        ],
        [
            "The person's name is missing or cannot be taken.",
            "Mend given name and family name in the register of students or staff and resume the send.",
        ],
    ),
    form(
        &[Attribute("eduPersonPrincipalNames"), Attribute("eduPersonPrincipalName"), Attribute("eppn")],
        Who::IdentityProvider,
        [
            "Federationsanvändarnamnet (EPPN) saknas, är fler än ett eller har fel form.",
            "Se till att personen har precis ett EPPN, med ett @ och en domän, i inloggningstjänsten, och återuppta sändningen.",
        ],
        [
            "The federated user name (EPPN) is missing, is more than one, or has a wrong form.",
            "See to it that the person has exactly one EPPN, with one @ and a domain, at the identity provider, and resume the send.",
        ],
    ),
    form(
        &[Attribute("emails"), Attribute("Email.value"), Attribute("Email.type")],
        Who::StudentRegister,
        [
            "E-postadressen eller dess typ kan inte tas emot. Personal ska ha en adress av typen Skola personal.",
            "Rätta adressen och dess typ i personalregistret och återuppta sändningen.",
        ],
        [
            "The e-mail address or its type cannot be taken. Staff are to have an address of the type Skola personal.",
            "Mend the address and its type in the register of staff and resume the send.",
        ],
    ),
    form(
        &[
            Attribute("externalIdentifiers"),
            Attribute("ExternalIdentifier.value"),
            Attribute("ExternalIdentifier.context"),
            Attribute("ExternalIdentifier.globallyUnique"),
        ],
        Who::IdentityProvider,
        [
            "Den externa identiteten kan inte tas emot. Endast en, från eduID och för personal, tas emot.",
            "Rätta eller ta bort eduID-identiteten på personen och återuppta sändningen.",
        ],
        [
            "The external identifier cannot be taken. Only one, of eduID and for staff, is.",
            "Mend or remove the person's eduID identifier and resume the send.",
        ],
    ),
    form(
        &[Attribute("securityMarking")],
        Who::StudentRegister,
        [
            "Skolverket känner inte till skyddsmarkeringen.",
            "Rätta markeringen i registret: Ingen, Sekretessmarkering eller Skyddad folkbokföring. Återuppta sedan sändningen.",
        ],
        [
            "The protection marking is none that Skolverket knows.",
            "Mend the marking in the register: Ingen, Sekretessmarkering or Skyddad folkbokföring. Then resume the send.",
        ],
    ),
    form(
        &[Attribute("dutyRole")],
        Who::StudentRegister,
        [
            "Befattningen saknas, eller så känner Skolverket inte till den.",
            "Välj en av Skolverkets befattningar på tjänstgöringen i personalregistret och återuppta sändningen.",
        ],
        [
            "The role is missing, or none that Skolverket knows.",
            "Choose one of Skolverket's roles for the duty in the register of staff and resume the send.",
        ],
    ),
    form(
        &[Attribute("displayName")],
        Who::ThisSystem,
        [
            "Gruppens eller aktivitetens namn saknas eller kan inte tas emot.",
            "Ge den ett namn och återuppta sändningen.",
        ],
        [
            "The name of the group or activity is missing or cannot be taken.",
            "Give it a name and resume the send.",
        ],
    ),
    form(
        &[Attribute("groupType"), Attribute("activityType")],
        Who::ThisSystem,
        [
            "Skolverket tar inte emot typen. Grupper ska ha Klass eller Undervisning, aktiviteter Undervisning.",
            "Välj en grupp av rätt typ i systemet som skickar och återuppta sändningen.",
        ],
        [
            "The type is none that Skolverket takes: Klass or Undervisning for groups, Undervisning for activities.",
            "Choose a group of the right type in the system that sends, and resume the send.",
        ],
    ),
    form(
        &[Attribute("groups")],
        Who::ThisSystem,
        [
            "Aktiviteten saknar grupp, eller en hänvisning till en grupp är ogiltig.",
            "Välj minst en grupp för aktiviteten och återuppta sändningen.",
        ],
        [
            "The activity has no group, or a reference to a group is not valid.",
            "Choose at least one group for the activity and resume the send.",
        ],
    ),
    form(
        &[
            Attribute("id"),
            Attribute("person"),
            Attribute("groupMemberships"),
            Attribute("GroupMembership"),
            Attribute("teachers"),
            Attribute("DutyAssignment"),
            Attribute("duty"),
        ],
        Who::ThisSystem,
        [
            "Postens id eller en hänvisning i den är inget giltigt UUID.",
            "Be systemets leverantör rätta hur id:n skapas och hänvisas till, och återuppta sändningen.",
        ],
        [
            "The record's id, or a reference in it, is no valid UUID.",
            "Ask the system's vendor to mend how ids are made and referred to, then resume the send.",
        ],
    ),
    Entry {
        ids: FORM,
        about: &[Attribute("enroledAt"), Attribute("dutyAt"), Attribute("organisation")],
        guidance: NO_SCHOOL_UNIT,
    },
    Entry { ids: FORM, about: &[Attribute("parentActivity")], guidance: NO_TEST },
    Entry {
        ids: &["3047"],
        about: &[Any],
        guidance: Guidance::new(
            Who::IdentityProvider,
            [
                "Personen är mottagen, men EPPN avslöjar namnet: det innehåller början av efternamnet, eller av både efternamnet och förnamnet.",
                "Låt inloggningstjänsten bilda EPPN som inte säger något om namnet, och skicka igen när det är ändrat.",
            ],
            [
                "The person is accepted, but the EPPN gives the name away: it holds the beginning of the family name, or of both family name and given name.",
                "Have the identity provider make EPPNs that say nothing of the name, and send again once it is changed.",
            ],
        ),
    },
    Entry {
        ids: NOT_FOUND,
        about: &[
            Attribute("groupMemberships"),
            Attribute("GroupMembership"),
            Attribute("GroupMembership.person"),
            Attribute("groupMemberships.person"),
        ],
        guidance: NO_MEMBER,
    },
    Entry { ids: NOT_FOUND, about: &[Attribute("person")], guidance: NO_PERSON },
    Entry { ids: NOT_FOUND, about: &[Attribute("groups")], guidance: NO_GROUP },
    Entry {
        ids: NOT_FOUND,
        about: &[
            Attribute("teachers"),
            Attribute("DutyAssignment"),
            Attribute("teachers.duty"),
            Attribute("duty"),
        ],
        guidance: NO_DUTY,
    },
    Entry {
        ids: NOT_FOUND,
        about: &[Attribute("enroledAt"), Attribute("dutyAt"), Attribute("organisation")],
        guidance: NO_SCHOOL_UNIT,
    },
    Entry { ids: NOT_FOUND, about: &[Attribute("parentActivity")], guidance: NO_TEST },
    Entry {
        ids: NOT_FOUND,
        about: &[Any],
        guidance: Guidance::new(
            Who::ThisSystem,
            [
                "Något som posten hänvisar till finns inte hos Skolverket: det togs aldrig emot, eller har tagits bort.",
                "Skicka det som posten hänvisar till, och posten själv, igen.",
            ],
            [
                "Something that the record refers to is not at Skolverket: it was never accepted, or was removed.",
                "Send what the record refers to, and the record itself, again.",
            ],
        ),
    },
    Entry {
        ids: &["4009"],
        about: &[Any],
        guidance: Guidance::new(
            Who::Operator,
            [
                "Posten finns redan hos Skolverket och anropet fick inte ändra den.",
                "Kontakta den som driftar systemet: sändningar ska uppdatera det som finns.",
            ],
            [
                "The record is at Skolverket already, and the call was not to change it.",
                "Contact whoever operates the system: sends are to update what is there.",
            ],
        ),
    },
];
