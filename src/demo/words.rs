//! The words that the demo is made of. All of them are inventions, or as common as rain.

#[rustfmt::skip]
pub(super) const WOMEN: &[&str] = &[
    "Maëlle", "Inès", "Solène", "Anouk", "Clémence", "Margaux", "Éloïse", "Nadège", "Capucine", "Yasmine", "Bérénice", "Fatou",
    "Ondine", "Séverine", "Coralie", "Gwenaëlle", "Ilse", "Friederike", "Annika", "Marta", "Ximena", "Itziar", "Chiara", "Ginevra",
    "Zofia", "Kinga", "Ludmila", "Ioana", "Sólveig", "Maarit", "Aoife", "Niamh", "Beatriz", "Leonor", "Eleni", "Katalin",
];

#[rustfmt::skip]
pub(super) const MEN: &[&str] = &[
    "Corentin", "Théo", "Basile", "Gaspard", "Loïc", "Mathurin", "Aurélien", "Yanis", "Hippolyte", "Raphaël", "Amadou", "Donatien",
    "Évariste", "Florian", "Gaël", "Octave", "Jürgen", "Lennart", "Matthias", "Iker", "Gonzalo", "Álvaro", "Dario", "Ettore",
    "Bartosz", "Mikołaj", "Radek", "Andrei", "Bjørn", "Eero", "Cillian", "Rhys", "Tiago", "Duarte", "Stavros", "Gábor",
];

#[rustfmt::skip]
pub(super) const LAST: &[&str] = &[
    "Abrivard", "Bellecombe", "Chastagnol", "Durvilliers", "Estavayer", "Fontanges", "Gribaudel", "Haudecœur", "Issartel", "Jolibert",
    "Kermadec", "Lacassagnolle", "Malvesin", "Nantheuil", "Ombredane", "Passelaigue", "Quintrec", "Roquevert", "Sauvebœuf", "Tarascou",
    "Uzerchois", "Vauclusel", "Wittelsheimer", "Ybarnégaray", "Zurfluhen", "Paoletti-Renosu", "Santarelluccia", "Benkhalifa", "Diarrassou", "N'Guessanon",
    "Ahrensdorfer", "Bruckhausen", "Steinkellner", "Vogtländer", "Etxezarreta", "Valdeolivas", "Montefiorino", "Castelbarco", "Wiśniogórski", "Krzemieniec",
    "Dobrovolny", "Ardeleanescu", "Thorvaldsdal", "Lindqvistson", "Hakkaraisto", "O'Feeneghan", "Llewelynock", "Vasconceira", "Papadimakis", "Szentgyörgy",
];

/// Town, postcode, country.
pub(super) const TOWNS: &[[&str; 3]] = &[
    ["Rouen", "76000", "FR"],
    ["Quimper", "29000", "FR"],
    ["Aurillac", "15000", "FR"],
    ["Ajaccio", "20000", "FR"],
    ["Bastia", "20200", "FR"],
    ["Valence", "26000", "FR"],
    ["Colmar", "68000", "FR"],
    ["Mende", "48000", "FR"],
    ["Lille", "59000", "FR"],
    ["Saint-Denis", "97400", "FR"],
    ["Freiburg", "79098", "DE"],
    ["Bilbao", "48005", "ES"],
    ["Torino", "10121", "IT"],
    ["Gdańsk", "80-001", "PL"],
];

#[rustfmt::skip]
pub(super) const STREETS: &[&str] = &[
    "sente aux Lierres", "impasse du Vieux Four", "rue des Trois Sureaux", "chemin de la Tuilerie Basse", "quai des Gabares",
    "allée du Colombier", "rue de la Passerelle Verte", "place du Grand Lavoir", "montée des Chèvrefeuilles",
];

#[rustfmt::skip]
pub(super) const COMPANY_KINDS: &[&str] = &[
    "Ateliers", "Coopérative", "Laiterie", "Menuiserie", "Filature", "Transports", "Verrerie", "Imprimerie", "Moulins", "Établissements",
];

#[rustfmt::skip]
pub(super) const COMPANY_NAMES: &[&str] = &[
    "du Vallon Bleu", "des Ocres", "de la Combe", "Trois-Ponts", "du Marais Salin", "des Aulnaies",
];

pub(super) const COMPANY_FORMS: &[&str] = &["SARL", "SAS", "SCA", "GmbH", "S.L."];

/// Title and department.
pub(super) const JOBS: &[[&str; 2]] = &[
    ["Directrice des achats", "Achats"],
    ["Comptable", "Finance"],
    ["Responsable qualité", "Qualité"],
    ["Gérant", "Direction"],
    ["Chef d'atelier", "Production"],
    ["Assistante de direction", "Direction"],
    ["Logistics manager", "Logistics"],
    ["Einkaufsleiterin", "Einkauf"],
    ["Jefe de obra", "Operaciones"],
    ["Magasinier", "Logistique"],
];

pub(super) const RELIGIONS: &[&str] = &[
    "catholique",
    "protestante",
    "juive",
    "musulmane",
    "bouddhiste",
    "sans religion",
];

#[rustfmt::skip]
pub(super) const HEALTH: &[&str] = &[
    "Asthme sévère, pas de visite d'atelier", "Suivi en cardiologie, contrôle tous les six mois", "Travaille à mi-temps thérapeutique",
    "Allergie aux arachides, prévenir le traiteur", "Malvoyante, documents en grands caractères", "Back surgery in spring, no long drives",
];

/// What people note after a call. Some of it has no place in a CRM.
#[rustfmt::skip]
pub(super) const REMARKS: &[&str] = &[
    "Préfère être rappelé le matin, avant l'ouverture de l'atelier.",
    "Attend un devis pour douze palettes, livraison en deux fois.",
    "Wants the delivery note by mail, not on paper.",
    "A demandé le tarif de l'année prochaine, décision en juin.",
    "Opérée du genou, elle ne reprend qu'après sa rééducation : passer par sa collègue.",
    "Il suit une dialyse le mardi et le jeudi, ne pas appeler ces jours-là.",
    "Enceinte de sept mois, congé à partir de la fin du mois.",
    "She is in treatment for depression and asked for short calls.",
    "Jeûne pendant le ramadan : pas de déjeuner d'affaires avant la fête.",
    "Ne travaille pas le samedi, il tient sa boutique fermée pour le sabbat.",
    "Va à la messe le dimanche matin, puis tient la permanence du diocèse.",
    "Déléguée syndicale de l'usine, très prise pendant les négociations.",
    "A pris sa carte au syndicat et sera en grève lundi.",
    "Shop steward at the plant, knows everybody on the works council.",
];

/// Where an IBAN is repeated: `{}` stands for it.
#[rustfmt::skip]
pub(super) const BANK_REMARKS: &[&str] = &[
    "RIB reçu par téléphone : {}, à vérifier.", "Remboursement à faire sur {} avant vendredi.", "Nouveau compte depuis mars, {} remplace l'ancien.",
    "Please pay to {} from now on.", "Prélèvement refusé ({}), relancer la comptabilité.", "Überweisung bitte an {}.",
];

#[rustfmt::skip]
pub(super) const CASES: &[&str] = &[
    "Livraison incomplète", "Facture en double", "Machine à l'arrêt", "Notice introuvable", "Accès au portail refusé", "Palette abîmée",
    "Erreur de tarif", "Retour sans bon", "Label printer jams", "Rechnung fehlt",
];

pub(super) const NOTES: &[&str] = &[
    "Compte rendu d'appel",
    "À rappeler",
    "Visite du dépôt",
    "Call notes",
    "Point avant devis",
    "Coordonnées bancaires",
];

/// The name as it stands in a mail address.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::new();
    for c in name.to_lowercase().chars() {
        let part = match c {
            'à' | 'á' | 'â' | 'ä' | 'å' => "a",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'í' | 'î' | 'ï' => "i",
            'ó' | 'ô' | 'ö' | 'ø' => "o",
            'ú' | 'ù' | 'ü' => "u",
            'ç' => "c",
            'ł' => "l",
            'ń' | 'ñ' => "n",
            'œ' => "oe",
            'ś' => "s",
            ' ' | '-' => "-",
            other => {
                plain.extend(other.is_ascii_alphanumeric().then_some(other));
                ""
            }
        };
        plain.push_str(part);
    }
    plain
}
