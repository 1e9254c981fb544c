//! Word lists. Conditions, anatomy and the vocabulary of trials are ordinary words; people, places, drugs and companies
//! are put together from parts and name nobody. Accents, apostrophes, ampersands, quotes and angle brackets are here on
//! purpose: the files must carry them.

use super::dice::Dice;

pub(super) const WOMEN: &[&str] = &[
    "Adela",
    "Anneke",
    "Brielle",
    "Carys",
    "Dagny",
    "Elowen",
    "Fenna",
    "Ginevra",
    "Hanneli",
    "Imogen",
    "Jorunn",
    "Kamila",
    "Liesel",
    "Maren",
    "Nadia",
    "Oriel",
    "Perpetua",
    "Quilla",
    "Rosalin",
    "Sunniva",
    "Tamsin",
    "Ulrika",
    "Verity",
    "Wilma",
    "Ximena",
    "Ysolde",
    "Zofia",
    "Catherine",
    "Margaret",
    "Philippa",
    "Amélie",
    "Zoë",
    "Siobhán",
    "Chloé",
    "Åsa",
    "Renée",
];

pub(super) const MEN: &[&str] = &[
    "Alaric", "Benno", "Caspian", "Dorian", "Emrys", "Florian", "Gareth", "Halvard", "Ivo", "Jasper",
    "Kelvin", "Leopold", "Magnus", "Nikolai", "Osric", "Percival", "Quentin", "Roderick", "Stellan",
    "Thaddeus", "Ulric", "Vaughn", "Wystan", "Xander", "Yorick", "Zoltan", "Stephen", "Philip", "Geoffrey",
    "Matthew", "Björn", "José", "Łukasz", "Jürgen", "Noël",
];

const SURNAME_HEADS: &[&str] = &[
    "Ash", "Bar", "Black", "Bram", "Cald", "Clay", "Cran", "Dren", "East", "Elm", "Fair", "Fen", "Gar",
    "Glen", "Hal", "Hart", "Hol", "Iver", "Kel", "Kirk", "Lang", "Lin", "Mar", "Mel", "Nor", "Oak", "Pem",
    "Quar", "Rad", "Red", "Sand", "Sel", "Shep", "Stan", "Thorn", "Tres", "Under", "Vel", "Wake", "West",
    "Whit", "Win", "Yar", "Zel",
];

const SURNAME_TAILS: &[&str] = &[
    "bourne", "bridge", "brook", "bury", "by", "combe", "cote", "dale", "den", "field", "ford", "gate",
    "ham", "hurst", "ley", "low", "man", "mere", "more", "ridge", "sby", "shaw", "son", "stead", "stone",
    "thwaite", "ton", "wick", "wood", "worth",
];

const FOREIGN_SURNAMES: &[&str] = &[
    "Brångqvist",
    "Quiñonar",
    "Dvořánek",
    "Müllerhoff",
    "Özgürsel",
    "Saint-Élan",
    "O'Darragh",
    "D'Ascanelli",
    "Gruškovič",
    "van der Heuvelink",
    "Ångmark",
    "Żelaznowski",
    "Çelimbay",
    "Nguyễnhà",
    "Sørensgaard",
    "MacIlvarry",
];

const TOWN_HEADS: &[&str] = &[
    "Alder", "Amber", "Birch", "Bright", "Cedar", "Clear", "Copper", "Crow", "Dun", "Eagle", "Falcon",
    "Glass", "Grey", "Harrow", "Iron", "Juniper", "King", "Lark", "Maple", "North", "Otter", "Pine",
    "Quarry", "Raven", "Silver", "Stony", "Thistle", "Upper", "Vale", "Willow", "Winter", "Wolf",
];

const TOWN_TAILS: &[&str] = &[
    "bank", "borough", "burgh", "cross", "dale", "falls", "field", "ford", "haven", "mouth", "point", "port",
    "reach", "ton", "view", "ville",
];

/// A country, towns in it that do not exist, and the middle of it in whole degrees north and east.
pub(super) struct Country {
    pub(super) name: &'static str,
    pub(super) towns: &'static [&'static str],
    pub(super) latitude: i64,
    pub(super) longitude: i64,
}

pub(super) const COUNTRIES: &[Country] = &[
    Country {
        name: "Germany",
        towns: &["Möllenfurt", "Grüntalheim", "Weißenbrügge"],
        latitude: 51,
        longitude: 10,
    },
    Country {
        name: "France",
        towns: &["Saint-Élan-sur-Orve", "Châteaulîn", "Montbriançay"],
        latitude: 47,
        longitude: 2,
    },
    Country {
        name: "Spain", towns: &["Villanúñez", "Peñarrosa", "Almendrón"], latitude: 40, longitude: -4
    },
    Country {
        name: "Poland",
        towns: &["Łężanów", "Brzozówka Górna", "Świerkowo"],
        latitude: 52,
        longitude: 19,
    },
    Country { name: "Denmark", towns: &["Højlund", "Sønderkær", "Ærnæs"], latitude: 56, longitude: 10 },
    Country {
        name: "Japan",
        towns: &["Kitamori", "Asahigawa-Minami", "Tsukihama"],
        latitude: 36,
        longitude: 138,
    },
    Country {
        name: "Brazil",
        towns: &["São Bento do Ipê", "Araçuarama", "Ribeirão Claro Novo"],
        latitude: -15,
        longitude: -48,
    },
    Country {
        name: "Korea, Republic of",
        towns: &["Hansol-dong", "Mirae-si", "Saebyeok"],
        latitude: 37,
        longitude: 128,
    },
    Country {
        name: "Turkey (Türkiye)",
        towns: &["Gümüşdere", "Çınarköy", "Işıklıova"],
        latitude: 39,
        longitude: 35,
    },
    Country {
        name: "Australia",
        towns: &["Wirranong", "Balgoora Creek", "Tarrawilla"],
        latitude: -33,
        longitude: 148,
    },
    Country {
        name: "Canada",
        towns: &["Baie-des-Ormes", "Port Ansgar", "Moose Ferry"],
        latitude: 46,
        longitude: -75,
    },
];

pub(super) const STATES: &[(&str, &str, i64)] = &[
    ("Alabama", "AL", 35),
    ("Arizona", "AZ", 85),
    ("California", "CA", 90),
    ("Colorado", "CO", 80),
    ("Florida", "FL", 32),
    ("Georgia", "GA", 30),
    ("Illinois", "IL", 60),
    ("Iowa", "IA", 50),
    ("Maryland", "MD", 20),
    ("Massachusetts", "MA", 1),
    ("Minnesota", "MN", 55),
    ("New York", "NY", 10),
    ("North Carolina", "NC", 27),
    ("Ohio", "OH", 43),
    ("Oregon", "OR", 97),
    ("Pennsylvania", "PA", 15),
    ("Tennessee", "TN", 37),
    ("Texas", "TX", 75),
    ("Utah", "UT", 84),
    ("Washington", "WA", 98),
];

pub(super) const FACILITIES: &[&str] = &[
    "General Hospital",
    "University Medical Center",
    "Clinical Research Institute",
    "Children's Hospital",
    "Cancer Center",
    "Heart & Vascular Clinic",
    "Veterans' Medical Center",
    "Hôpital Régional",
    "Universitätsklinikum",
    "Research Site 0042",
    "Neurology & Sleep \"Nord\" Center",
    "Centro Médico",
    "Investigative Site <main campus>",
    "Dermatology Associates, P.C.",
];

/// A condition, a MeSH-like heading for it, and a tree branch.
pub(super) const CONDITIONS: &[(&str, &str, &str)] = &[
    ("Type 2 Diabetes", "Diabetes Mellitus, Type 2", "Nutritional and Metabolic Diseases"),
    ("Hypertension", "Hypertension", "Heart and Blood Diseases"),
    ("Asthma", "Asthma", "Respiratory Tract (Lung and Bronchial) Diseases"),
    ("Breast Cancer", "Breast Neoplasms", "Neoplasms"),
    ("Non-small Cell Lung Cancer", "Carcinoma, Non-Small-Cell Lung", "Neoplasms"),
    ("Crohn's Disease", "Crohn Disease", "Digestive System Diseases"),
    ("Sjögren's Syndrome", "Sjogren's Syndrome", "Immune System Diseases"),
    ("Rheumatoid Arthritis", "Arthritis, Rheumatoid", "Musculoskeletal Diseases"),
    ("Major Depressive Disorder", "Depressive Disorder, Major", "Behaviors and Mental Disorders"),
    ("Heart Failure", "Heart Failure", "Heart and Blood Diseases"),
    (
        "Chronic Kidney Disease",
        "Renal Insufficiency, Chronic",
        "Urinary Tract, Sexual Organs, and Pregnancy Conditions",
    ),
    ("Multiple Sclerosis", "Multiple Sclerosis", "Nervous System Diseases"),
    ("Atopic Dermatitis", "Dermatitis, Atopic", "Skin and Connective Tissue Diseases"),
    ("Migraine", "Migraine Disorders", "Nervous System Diseases"),
    ("COPD", "Pulmonary Disease, Chronic Obstructive", "Respiratory Tract (Lung and Bronchial) Diseases"),
    ("Sepsis", "Sepsis", "Infections"),
    ("Ménière's Disease", "Meniere Disease", "Ear, Nose, and Throat Diseases"),
    ("Obesity", "Obesity", "Nutritional and Metabolic Diseases"),
    ("Acute Myeloid Leukemia", "Leukemia, Myeloid, Acute", "Neoplasms"),
    ("Insomnia", "Sleep Initiation and Maintenance Disorders", "Nervous System Diseases"),
    ("Psoriasis", "Psoriasis", "Skin and Connective Tissue Diseases"),
    ("Guillain-Barré Syndrome", "Guillain-Barre Syndrome", "Nervous System Diseases"),
    ("Iron Deficiency Anemia", "Anemia, Iron-Deficiency", "Heart and Blood Diseases"),
    ("Osteoporosis", "Osteoporosis", "Musculoskeletal Diseases"),
];

pub(super) const DRUG_HEADS: &[&str] = &[
    "velo", "cara", "ziru", "panto", "lumi", "orve", "taxi", "brena", "fido", "queli", "xano", "miro",
    "dapso", "ruxe", "elga", "soni", "ibre", "nuvo", "kelpo", "avro",
];
pub(super) const DRUG_TAILS: &[&str] = &[
    "ratinib",
    "limumab",
    "vastatin",
    "gliptazone",
    "prilane",
    "mycidine",
    "sartane",
    "oxetane",
    "triptone",
    "cillane",
    "parinol",
    "dronide",
];
pub(super) const BRAND_HEADS: &[&str] = &[
    "Vel", "Cor", "Zy", "Pan", "Lum", "Or", "Tax", "Bren", "Fid", "Quel", "Xan", "Mir", "Dap", "Rux", "El",
    "Son",
];
pub(super) const BRAND_TAILS: &[&str] =
    &["ovra", "iquis", "entra", "adyl", "umax", "exa", "orin", "istra", "anto", "ebri"];
pub(super) const SALTS: &[&str] = &["hydrochloride", "sodium", "mesylate", "maleate", "fumarate", ""];

const COMPANY_HEADS: &[&str] = &[
    "Alderwick",
    "Brightmere",
    "Corvane",
    "Dunmarrow",
    "Elstrand",
    "Fenlark",
    "Greyhollow",
    "Harrowgate",
    "Ivermoor",
    "Kestrel & Voss",
];
const COMPANY_TAILS: &[&str] = &[
    "Pharmaceuticals, Inc.",
    "Biosciences GmbH",
    "Therapeutics, LLC",
    "Laboratories",
    "Pharma A/S",
    "Medicines Co., Ltd.",
];

pub(super) const FORMS: &[(&str, &str)] = &[
    ("TABLET", "ORAL"),
    ("TABLET, FILM COATED", "ORAL"),
    ("CAPSULE", "ORAL"),
    ("INJECTION, SOLUTION", "INTRAVENOUS"),
    ("INJECTION, SOLUTION", "SUBCUTANEOUS"),
    ("CREAM", "TOPICAL"),
    ("SOLUTION/ DROPS", "OPHTHALMIC"),
    ("AEROSOL, METERED", "RESPIRATORY (INHALATION)"),
];

pub(super) const REACTIONS: &[&str] = &[
    "Nausea",
    "Headache",
    "Dizziness",
    "Fatigue",
    "Rash",
    "Diarrhoea",
    "Pyrexia",
    "Dyspnoea",
    "Pruritus",
    "Vomiting",
    "Insomnia",
    "Arthralgia",
    "Hypotension",
    "Oedema peripheral",
    "Drug ineffective",
    "Off label use",
    "Sjogren's syndrome",
    "Anaemia",
];

pub(super) const JOURNALS: &[(&str, &str, &str)] = &[
    ("Annals of Invented Medicine", "Ann Invent Med", "9900-0011"),
    ("Journal of Synthetic Trials & Methods", "J Synth Trials Methods", "9900-0024"),
    ("Revista Imaginária de Saúde", "Rev Imagin Saude", "9900-0037"),
    ("Zeitschrift für erdachte Klinik", "Z Erdachte Klin", "9900-0040"),
    ("The Placebo Quarterly", "Placebo Q", "9900-0053"),
    ("Acta Exempli Medica", "Acta Exempl Med", "9900-0066"),
];

pub(super) fn surname(dice: &mut Dice) -> String {
    if dice.chance(8) {
        return dice.pick(FOREIGN_SURNAMES).to_owned();
    }
    format!("{}{}", dice.pick(SURNAME_HEADS), dice.pick(SURNAME_TAILS))
}

pub(super) fn given_name(dice: &mut Dice) -> &'static str {
    if dice.chance(50) { dice.pick(WOMEN) } else { dice.pick(MEN) }
}

pub(super) fn town(dice: &mut Dice) -> String {
    format!("{}{}", dice.pick(TOWN_HEADS), dice.pick(TOWN_TAILS))
}

pub(super) fn drug(dice: &mut Dice) -> String {
    format!("{}{}", dice.pick(DRUG_HEADS), dice.pick(DRUG_TAILS))
}

pub(super) fn brand(dice: &mut Dice) -> String {
    format!("{}{}", dice.pick(BRAND_HEADS), dice.pick(BRAND_TAILS))
}

pub(super) fn company(dice: &mut Dice) -> String {
    format!("{} {}", dice.pick(COMPANY_HEADS), dice.pick(COMPANY_TAILS))
}

/// A telephone number of the range that is set aside for fiction.
pub(super) fn phone(dice: &mut Dice) -> String {
    format!("{}-555-01{:02}", dice.range(201, 989), dice.below(100))
}

/// `word` with its first letter in upper case.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
