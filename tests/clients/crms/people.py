"""The people and firms in every scripted CRM, invented. What no caller may see is listed under `CANARIES`."""

USER, PASSWORD, OTHER_SECRET = "sally", "demo-Pass-1", "crm-side-secret-5f0c9be1"


def iban(account):
    """A French IBAN with its check digits."""
    digits = "".join(str(int(letter, 36)) for letter in account + "FR00")
    return f"FR{98 - int(digits) % 97:02}{account}"


def spaced(text):
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


class Person:
    def __init__(self, first, last, account, nir, belief, firm):
        self.first, self.last, self.firm, self.nir, self.belief = first, last, firm, nir, belief
        self.iban = iban(account)
        self.email = f"{first}.{last}@example.org".lower().replace("'", "").replace("ë", "e").replace("é", "e")
        self.phone = f"06 39 98 {account[:2]} {account[2:4]}"
        self.note = f"Rappeler lundi. RIB : {spaced(self.iban)}."
        self.birthdate = f"19{account[:2]}-05-23"
        # As the CRMs of SugarCRM's family call them.
        self.fields = {
            "first_name": first,
            "last_name": last,
            "phone_mobile": self.phone,
            "email1": self.email,
            "birthdate": self.birthdate,
            "description": self.note,
            "iban_c": self.iban,
            "nir_c": nir,
            "religion_c": belief,
        }


FIRMS = ["Ateliers du Goemon", "Dupont et Filles"]
PEOPLE = [
    Person("Odile", "Vasseur", "71385920461738205946118", "284037211900034", "zoroastrienne", 0),
    Person("Noël", "O'Brien", "62901847365520194837876", "178017219740261", "rosicrucien", 0),
    Person("Maud", "Terrier", "53017264958301748265432", "289127218800177", "shintoiste", 1),
    Person("Ivo", "Daguin", "84736501928465730192787", "190067216600299", "quakerien", 1),
    Person("Lise", "Vasseur", "75290384615029384756345", "292087215500318", "raelienne", 1),
]
# The middle of an account number: what a mask may show of it lies outside.
CANARIES = [person.iban[6:19] for person in PEOPLE] + [person.nir for person in PEOPLE] + [person.belief for person in PEOPLE] + [OTHER_SECRET]
