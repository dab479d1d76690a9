//! The words of each finding code. They say what is wrong, why it matters and what to do, and quote nothing.

use crate::kind::finding_code::FindingCode;

impl FindingCode {
    /// What is wrong, why it matters, and what to do: in English, in Swedish.
    pub fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownAttribute => (
                "An attribute does not belong here, and would be lost without a word; check its spelling or leave it out.",
                "Ett attribut hör inte hemma här och skulle gå förlorat i tysthet; kontrollera stavningen eller utelämna det.",
            ),
            Self::DuplicateAttribute => (
                "An attribute stands more than once in the same object, and nobody can tell which one counts. Give it once.",
                "Ett attribut förekommer mer än en gång i samma objekt, och det går inte att veta vilket som gäller. Ange det en gång.",
            ),
            Self::MissingAttribute => (
                "A required attribute is missing; without it Skolverket does not take the record. Give it.",
                "Ett obligatoriskt attribut saknas; utan det tar Skolverket inte emot posten. Ange det.",
            ),
            Self::WrongType => (
                "A value is of another type than it must be, and cannot be read. Correct it.",
                "Ett värde har en annan typ än det ska ha och kan inte läsas. Rätta det.",
            ),
            Self::WrongFormat => (
                "A text does not have the form that it must have, so that nothing can be found by it. Correct it.",
                "En text har inte den form den ska ha, så inget går att hitta med den. Rätta den.",
            ),
            Self::NotAllowed => (
                "A value is outside those that Skolverket takes. Use one of them.",
                "Ett värde är inte ett av dem som Skolverket tar emot. Använd ett av dem.",
            ),
            Self::WrongCount => (
                "A list has too few or too many entries for Skolverket to take it. Correct it.",
                "En lista har för få eller för många poster för att Skolverket ska ta emot den. Rätta den.",
            ),
            Self::DuplicateId => (
                "Two records of the send have the same id, and one would take the other's place. Give each its own.",
                "Två poster i sändningen har samma id, och den ena skulle ta den andras plats. Ge varje post ett eget.",
            ),
            Self::MissingReference => (
                "A record refers to one that is not in the send; Skolverket refuses it unless it has that one already. Add it, or remove the reference.",
                "En post hänvisar till en som inte finns i sändningen; Skolverket avvisar den om den andra inte redan finns där. Lägg till den, eller ta bort hänvisningen.",
            ),
            Self::TooLarge => (
                "A record is larger than one call to Skolverket may be. Divide it, or shorten its texts and lists.",
                "En post är större än ett anrop till Skolverket får vara. Dela den, eller korta dess texter och listor.",
            ),
            Self::NameTooLong => (
                "A name is longer than 255 characters, and cannot be stored or shown. Shorten it.",
                "Ett namn är längre än 255 tecken och kan inte sparas eller visas. Korta det.",
            ),
            Self::EppnMissing => (
                "The person has no EPPN, and cannot log in to a test without one. Whoever gives out user names has to give the person one, and register it.",
                "Personen saknar EPPN och kan inte logga in till ett prov utan det. Den som delar ut användarnamn behöver ge personen ett och registrera det.",
            ),
            Self::NamesBlank => (
                "Both the given name and the surname are blank, and nobody can tell who the person is. Enter them in the register of students or staff.",
                "Både förnamn och efternamn är tomma, och ingen kan se vem personen är. Fyll i dem i elev- eller personalregistret.",
            ),
            Self::NameBlank => (
                "The given name or the surname is blank. People with one name exist; if this person has two, enter the other in the register of students or staff.",
                "Förnamnet eller efternamnet är tomt. Det finns personer med bara ett namn; har personen två, fyll i det andra i elev- eller personalregistret.",
            ),
            Self::NameControlCharacter => (
                "A name has a control character in it, such as a line break or a tab, which no name has. Write the name anew in the register of students or staff.",
                "Ett namn innehåller ett styrtecken, till exempel en radbrytning eller en tabb, vilket inget namn har. Skriv om namnet i elev- eller personalregistret.",
            ),
            Self::NameInvisibleCharacter => (
                "A name has a character in it that nobody sees, so that a search for the name does not find it. It may have come along when the name was copied. Write the name anew in the register of students or staff.",
                "Ett namn innehåller ett tecken som inte syns, så en sökning på namnet hittar det inte. Det kan ha följt med när namnet kopierades. Skriv om namnet i elev- eller personalregistret.",
            ),
            Self::EppnInvisibleCharacter => (
                "The EPPN has a character in it that nobody sees, and the person cannot log in with what is on the screen. Write it anew where user names are given out.",
                "EPPN innehåller ett tecken som inte syns, och personen kan inte logga in med det som står på skärmen. Skriv om det där användarnamn delas ut.",
            ),
            Self::EppnForm => (
                "The EPPN is not a local part, one @ and a domain. The person cannot log in with it, and Skolverket should refuse it. Correct it where user names are given out.",
                "EPPN består inte av en lokal del, ett @ och en domän. Personen kan inte logga in med det, och Skolverket lär avvisa det. Rätta det där användarnamn delas ut.",
            ),
            Self::EppnShared => (
                "Another person of the send has the same EPPN. One of them would be logged in as the other. Give each person an EPPN of their own where user names are given out.",
                "En annan person i sändningen har samma EPPN. Den ena skulle loggas in som den andra. Ge varje person ett eget EPPN där användarnamn delas ut.",
            ),
            Self::StudentAndStaff => (
                "The person has both an enrolment and a duty. Skolverket wants two persons with different EPPNs for somebody who is both student and staff. Divide the person in the register.",
                "Personen har både en inskrivning och en tjänstgöring. Skolverket vill ha två personer med olika EPPN för den som är både elev och personal. Dela upp personen i registret.",
            ),
            Self::EppnShowsName => (
                "The EPPN holds the beginning of the person's name, and shows who wrote a test. Skolverket takes it with the warning 3047. Change how user names are made where they are given out.",
                "EPPN innehåller början av personens namn och avslöjar vem som skrivit ett prov. Skolverket godtar det med varningen 3047. Ändra hur användarnamn bildas där de delas ut.",
            ),
            Self::EppnShowsBirthDate => (
                "The EPPN holds the person's birth date, and helps to tell who wrote a test. Change how user names are made where they are given out.",
                "EPPN innehåller personens födelsedatum och bidrar till att avslöja vem som skrivit ett prov. Ändra hur användarnamn bildas där de delas ut.",
            ),
            Self::EppnShowsCivicNumber => (
                "The EPPN holds the person's civic number, which it spreads to everybody who sees it. Change how user names are made where they are given out.",
                "EPPN innehåller personens personnummer, som därmed sprids till alla som ser det. Ändra hur användarnamn bildas där de delas ut.",
            ),
            Self::CivicNumberForm => (
                "The civic number is not twelve characters, YYYYMMDDNNNC or YYYYMMDDTFnn. Skolverket cannot tell who the person is. Correct it in the register of students or staff.",
                "Personnumret är inte tolv tecken, ÅÅÅÅMMDDNNNK eller ÅÅÅÅMMDDTFnn. Skolverket kan inte avgöra vem personen är. Rätta det i elev- eller personalregistret.",
            ),
            Self::CivicNumberDate => (
                "The civic number begins with a date that does not exist. It is nobody's. Correct it in the register of students or staff.",
                "Personnumret börjar med ett datum som inte finns. Det tillhör ingen. Rätta det i elev- eller personalregistret.",
            ),
            Self::CivicNumberCheckDigit => (
                "The civic number's check digit is wrong: a digit is mistaken, and the number is nobody's or somebody else's. Correct it in the register of students or staff.",
                "Personnumrets kontrollsiffra är fel: någon siffra är felskriven, och numret tillhör ingen eller någon annan. Rätta det i elev- eller personalregistret.",
            ),
            Self::CivicNumberBirthUnknown => (
                "The coordination number has the month 00 or the day 60: the birth date is not known. Such numbers exist. Check that this one was not mistyped.",
                "Samordningsnumret har månad 00 eller dag 60: födelsedatumet är inte känt. Sådana nummer finns. Kontrollera att det inte är felskrivet.",
            ),
            Self::CivicNumberBirthNumber => (
                "The civic number has the birth number 000, which is given to nobody. It looks made up. Check it in the register of students or staff.",
                "Personnumret har födelsenumret 000, som ingen tilldelas. Det ser påhittat ut. Kontrollera det i elev- eller personalregistret.",
            ),
            Self::CivicNumberInFuture => (
                "The civic number begins with a date that has not come yet. The century may be wrong. Check it in the register of students or staff.",
                "Personnumret börjar med ett datum som inte har varit än. Århundradet kan vara fel. Kontrollera det i elev- eller personalregistret.",
            ),
            Self::CivicNumberShared => (
                "Another person of the send has the same civic number in the same role. It is the same person twice, or one of them has somebody else's number. Check both in the register of students or staff.",
                "En annan person i sändningen har samma personnummer i samma roll. Det är samma person två gånger, eller så har en av dem någon annans nummer. Kontrollera båda i elev- eller personalregistret.",
            ),
            Self::Nationality => (
                "The civic number is said to be of another country than SE. Skolverket takes Swedish numbers only; who has none gets a temporary one. Correct it in the register of students or staff.",
                "Personnumret anges vara från ett annat land än SE. Skolverket tar bara emot svenska nummer; den som saknar ett får ett tillfälligt. Rätta det i elev- eller personalregistret.",
            ),
            Self::StaffEmailMissing => (
                "The person has a duty and no e-mail address of the type Skola personal, which Skolverket demands of staff. Add it in the register of staff.",
                "Personen har en tjänstgöring men ingen e-postadress av typen Skola personal, vilket Skolverket kräver för personal. Lägg till den i personalregistret.",
            ),
            Self::StaffEmailForm => (
                "The person has a duty, and what stands as the e-mail address of the type Skola personal is no address. Skolverket demands one of staff. Correct it in the register of staff.",
                "Personen har en tjänstgöring, och det som står som e-postadress av typen Skola personal är ingen adress. Skolverket kräver en för personal. Rätta den i personalregistret.",
            ),
            Self::EmailType => (
                "Skolverket uses only e-mail addresses of the types Skola personal and Skola elev; this one has another type, or none. Set the type in the register, or leave the address out.",
                "Skolverket använder bara e-postadresser av typerna Skola personal och Skola elev; denna har en annan typ, eller ingen. Ange typen i registret, eller utelämna adressen.",
            ),
            Self::SchoolYearMissing => (
                "The enrolment has no school year, which Skolverket demands for GR, SP and SAM. Add it in the student register.",
                "Inskrivningen saknar årskurs, vilket Skolverket kräver för GR, SP och SAM. Lägg till den i elevregistret.",
            ),
            Self::EducationCodeMissing => (
                "The enrolment has no study path code (educationCode), which Skolverket demands for GY. Add it in the student register.",
                "Inskrivningen saknar studievägskod (educationCode), vilket Skolverket kräver för GY. Lägg till den i elevregistret.",
            ),
            Self::ExternalIdentifierOfStudent => (
                "The person is a student and has an external identifier, which Skolverket takes for staff only. Leave it out.",
                "Personen är elev och har en extern identifierare, vilket Skolverket bara tar emot för personal. Utelämna den.",
            ),
            Self::ExternalIdentifierContext => (
                "The external identifier is not of the context https://eduid.se, the only one that Skolverket knows. Correct it or leave it out.",
                "Den externa identifieraren har inte kontexten https://eduid.se, den enda som Skolverket känner till. Rätta den eller utelämna den.",
            ),
            Self::ProtectedNotAttested => (
                "The person's identity is protected, and the organiser's settings do not attest that its routine for such persons is in place at Skolverket. Sent without it, the identity may be shown. When the routine is in place, whoever operates this service sets the attestation; until then, leave the person out.",
                "Personen har skyddade personuppgifter, och huvudmannens inställningar intygar inte att rutinen för sådana personer finns på plats hos Skolverket. Utan den kan uppgifterna röjas. När rutinen finns på plats lägger den som driftar tjänsten in intyget; utelämna personen tills dess.",
            ),
            Self::NoEnrolmentNoDuty => (
                "The person has neither an enrolment nor a duty, and gets no account in the test service. Add one in the register, or leave the person out.",
                "Personen har varken inskrivning eller tjänstgöring och får inget konto i provtjänsten. Lägg till en i registret, eller utelämna personen.",
            ),
            Self::LongName => (
                "A name is longer than 64 characters, and may be cut off or refused. Shorten it in the register of students or staff.",
                "Ett namn är längre än 64 tecken och kan kapas eller avvisas. Korta det i elev- eller personalregistret.",
            ),
            Self::SchoolUnitWithoutLeader => (
                "Nobody in the send is Rektor or Skoladministratör at this school unit, so that nobody there can administer its tests. Add the duty of one.",
                "Ingen i sändningen är Rektor eller Skoladministratör på denna skolenhet, så ingen där kan administrera dess prov. Lägg till en sådan tjänstgöring.",
            ),
            Self::DisplayNameBlank => (
                "The group or activity has a blank name, and nobody can tell it from others. Give it a name.",
                "Gruppen eller aktiviteten har ett tomt namn, och ingen kan skilja den från andra. Ge den ett namn.",
            ),
            Self::MemberNamedTwice => (
                "The group names a member twice. The member is sent and counted once. Remove the second one in the student register.",
                "Gruppen har samma medlem två gånger. Medlemmen skickas och räknas en gång. Ta bort den ena i elevregistret.",
            ),
            Self::StaffMember => (
                "The member has a duty and no enrolment: staff take no tests. Remove the person from the group, or add the enrolment.",
                "Medlemmen har en tjänstgöring men ingen inskrivning: personal skriver inga prov. Ta bort personen ur gruppen, eller lägg till inskrivningen.",
            ),
            Self::MemberCancelled => (
                "The member's enrolment is cancelled, and the student may have left the school. Remove the student from the group, or correct the enrolment.",
                "Medlemmens inskrivning är avbruten, och eleven kan ha slutat. Ta bort eleven ur gruppen, eller rätta inskrivningen.",
            ),
            Self::GroupWithoutMembers => (
                "The group has no members, and nobody will take a test in it. Add the students in the register, or leave the group out.",
                "Gruppen saknar medlemmar, och ingen kommer att skriva prov i den. Lägg till eleverna i registret, eller utelämna gruppen.",
            ),
            Self::StudentInTwoClasses => (
                "The student is a member of another group of the type Klass, too. A student has one class. Correct the classes in the student register.",
                "Eleven är medlem även i en annan grupp av typen Klass. En elev har en klass. Rätta klasserna i elevregistret.",
            ),
            Self::MemberOfOtherSchoolUnit => (
                "The member is enrolled, but not at the group's school unit, whose staff would see the student's results. Correct the group or the enrolment in the student register.",
                "Medlemmen är inskriven, men inte på gruppens skolenhet, vars personal skulle se elevens resultat. Rätta gruppen eller inskrivningen i elevregistret.",
            ),
            Self::MemberOfOtherSchoolType => (
                "The member is enrolled at the group's school unit for another school type than the group's. Correct the group or the enrolment in the student register.",
                "Medlemmen är inskriven på gruppens skolenhet för en annan skolform än gruppens. Rätta gruppen eller inskrivningen i elevregistret.",
            ),
            Self::ActivityWithoutTeachers => (
                "The activity has no teachers, and no teacher can follow the test or see its results. Add the teachers' duties.",
                "Aktiviteten saknar lärare, och ingen lärare kan följa provet eller se resultaten. Lägg till lärarnas tjänstgöringar.",
            ),
            Self::GroupNamedTwice => (
                "The activity names a group twice. The group is sent and counted once. Remove the second one.",
                "Aktiviteten har samma grupp två gånger. Gruppen skickas och räknas en gång. Ta bort den ena.",
            ),
            Self::TeacherNamedTwice => (
                "The activity names a teacher's duty twice. It is sent and counted once. Remove the second one.",
                "Aktiviteten har samma lärares tjänstgöring två gånger. Den skickas och räknas en gång. Ta bort den ena.",
            ),
            Self::DutiesAlike => (
                "The person has another duty at the same school unit in the same role. One of them is enough. Remove the other in the register of staff.",
                "Personen har en annan tjänstgöring på samma skolenhet i samma roll. En av dem räcker. Ta bort den andra i personalregistret.",
            ),
            Self::GroupOfOtherSchoolUnit => (
                "A group of the activity is of another school unit than the activity. Staff of one unit may see the results of the other's students. Check which unit is right.",
                "En grupp i aktiviteten hör till en annan skolenhet än aktiviteten. Personal på den ena enheten kan se resultat för den andras elever. Kontrollera vilken enhet som är rätt.",
            ),
            Self::TeacherOfOtherSchoolUnit => (
                "A teacher of the activity has the duty at another school unit, and will see the results of this unit's students. If that is not meant, choose the duty of a teacher here.",
                "En lärare i aktiviteten har sin tjänstgöring på en annan skolenhet och kommer att se resultaten för elever på denna. Om det inte är meningen, välj en tjänstgöring härifrån.",
            ),
            Self::SeveralTeachersAndGroups => (
                "The activity has several teachers and several groups. Each of the teachers can see the results of every student in all of the groups. If that is not meant, make an activity for each group.",
                "Aktiviteten har flera lärare och flera grupper. Var och en av lärarna kan se resultaten för alla elever i alla grupperna. Om det inte är meningen, gör en aktivitet för varje grupp.",
            ),
            Self::GroupNotTeaching => (
                "A group of the activity is not of the type Undervisning. Its teachers see the results of a whole class. If that is not meant, choose the teaching group.",
                "En grupp i aktiviteten är inte av typen Undervisning. Dess lärare ser hela klassens resultat. Om det inte är meningen, välj undervisningsgruppen.",
            ),
            Self::MemberOfOtherSchoolYear => (
                "The member's school year is not that of a test that the group is to take. Check the group, the student's school year and the test code.",
                "Medlemmens årskurs är inte den som gruppens prov gäller. Kontrollera gruppen, elevens årskurs och provkoden.",
            ),
            Self::SchoolUnitUnknown => (
                "Skolverket's register has no such school unit, and Skolverket should refuse what refers to it. Correct the school unit code; a unit that is new has to be registered first.",
                "Skolenheten finns inte i Skolverkets skolenhetsregister, och Skolverket lär avvisa det som hänvisar till den. Rätta skolenhetskoden; en ny skolenhet måste först registreras.",
            ),
            Self::SchoolUnitOfAnother => (
                "Skolverket's register says that another organiser runs the school unit, for which this one may not send anything. Correct the school unit code, or have the register of school units corrected.",
                "Enligt Skolverkets skolenhetsregister drivs skolenheten av en annan huvudman, och för den får inget skickas härifrån. Rätta skolenhetskoden, eller låt rätta skolenhetsregistret.",
            ),
            Self::SchoolUnitOutOfUse => (
                "Skolverket's register says that the school unit has ceased, or that it is not in the test service, where nobody may be able to take a test at it. Check the school unit code and the register of school units.",
                "Enligt Skolverkets skolenhetsregister har skolenheten upphört, eller finns inte i provtjänsten, så det kan vara omöjligt att skriva prov där. Kontrollera skolenhetskoden och skolenhetsregistret.",
            ),
            Self::SchoolTypeNotOffered => (
                "Skolverket's register says that the school unit does not offer this school type, and Skolverket holds it against that. Correct the school type or the school unit in the student register, or have the register of school units corrected.",
                "Enligt Skolverkets skolenhetsregister har skolenheten inte denna skolform, vilket Skolverket kontrollerar. Rätta skolformen eller skolenheten i elevregistret, eller låt rätta skolenhetsregistret.",
            ),
            Self::SchoolYearNotOffered => (
                "Skolverket's register says that the school unit does not have this school year of the school type. Check the school year in the student register; a year that is new there has to be in the register of school units.",
                "Enligt Skolverkets skolenhetsregister har skolenheten inte denna årskurs i skolformen. Kontrollera årskursen i elevregistret; en ny årskurs måste finnas i skolenhetsregistret.",
            ),
            Self::EducationCodeUnknown => (
                "Skolverket's register has no such study path, and Skolverket should refuse a student who has it. Correct educationCode in the student register.",
                "Studievägen finns inte i Skolverkets register, och Skolverket lär avvisa elever som har den. Rätta educationCode i elevregistret.",
            ),
            Self::EducationCodeToCome => (
                "The study path cannot be used yet: in Skolverket's register the day from which it is valid is still to come. Correct educationCode in the student register, or send again after that day.",
                "Studievägen får inte användas än: enligt Skolverkets register gäller den först från ett senare datum. Rätta educationCode i elevregistret, eller skicka igen efter det datumet.",
            ),
            Self::EducationCodeOutOfUse => (
                "Skolverket's register says that the study path is not in use, and Skolverket may refuse a student who has it. Check educationCode in the student register.",
                "Enligt Skolverkets register används inte studievägen, och Skolverket kan avvisa elever som har den. Kontrollera educationCode i elevregistret.",
            ),
            Self::TestUnknown => (
                "Skolverket has no national test with this code, and should refuse an activity that belongs to none. Correct the test code of the activity.",
                "Skolverket har inget nationellt prov med denna kod och lär avvisa en aktivitet som inte hör till något. Rätta aktivitetens provkod.",
            ),
            Self::AttributeNotTaken => (
                "Skolverket does not take some of the attributes. They are left out of what is sent; nothing has to be done.",
                "Skolverket tar inte emot några av attributen. De utelämnas ur det som skickas; inget behöver göras.",
            ),
        }
    }
}
