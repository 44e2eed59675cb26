//! Which drawing of `assets/art.svg` stands for a product that has no picture of its own: the one
//! whose words are in its title, else in its category.

use scrip_domain::vendor::Sells;

/// Words, and the drawing that they call for. The first row that matches is taken, so what is more
/// particular stands before what is more general.
const WORDS: [(&[&str], &str); 51] = [
    (&["bedside table", "nightstand"], "bedside-table"),
    (
        &["high top", "shoe", "boot", "sneaker", "sandal", "trainer"],
        "shoe",
    ),
    (&["skirt", "dress"], "skirt"),
    (&["watering can"], "watering-can"),
    (&["trowel", "spade", "rake"], "trowel"),
    (&["cardboard pot", "biodegradable", "seed tray"], "pots"),
    (&["pot", "planter"], "pot"),
    (&["plant", "fern", "succulent", "cactus"], "plant"),
    (&["sofa", "couch"], "sofa"),
    (&["armchair", "chair", "stool"], "chair"),
    (&["table", "desk"], "table"),
    (&["bench"], "bench"),
    (&["lamp"], "lamp"),
    (&["drawer", "chest", "cabinet", "dresser"], "drawers"),
    (&["pillow", "cushion"], "pillow"),
    (&["bed", "duvet", "blanket"], "bed"),
    (&["vase", "jug"], "vase"),
    (&["candle"], "candle"),
    (&["fence", "slat", "trellis"], "fence"),
    (&["beanbag", "pouf"], "beanbag"),
    (&["tuxedo", "suit"], "suit"),
    (&["jacket", "coat", "parka"], "jacket"),
    (&["jumper", "sweater", "cardigan", "hoodie"], "sweater"),
    (&["tee", "t-shirt"], "tee"),
    (&["shirt"], "shirt"),
    (&["blouse", "top"], "top"),
    (&["jean", "trouser", "pants", "shorts"], "trousers"),
    (&["hat", "cap", "beanie"], "hat"),
    (&["scarf", "shawl"], "scarf"),
    (&["bag", "backpack", "purse"], "bag"),
    (&["sunglasses", "glasses"], "sunglasses"),
    (&["sock"], "socks"),
    (&["earring"], "earrings"),
    (&["bracelet", "bangle"], "bracelet"),
    (&["necklace", "choker", "pendant"], "necklace"),
    (&["ring"], "ring"),
    (&["scan", "scanner", "ocr"], "scan"),
    (&["cad", "draughting", "construction"], "compass"),
    (
        &["drawing", "floor plan", "plan", "sketch", "design"],
        "drawing",
    ),
    (&["photo", "image", "picture"], "photo"),
    (&["sound", "audio", "music"], "sound"),
    (&["timber", "cutting list", "saw"], "timber"),
    (
        &["account", "accounting", "ledger", "invoice", "spreadsheet"],
        "sheet",
    ),
    (&["document", "archive", "pdf"], "documents"),
    (&["language", "translation", "dictionary"], "languages"),
    (&["game", "games"], "game"),
    (&["bread", "loaf", "roll", "sourdough"], "loaf"),
    (&["coffee", "tea", "cup", "mug"], "cup"),
    (&["gift", "voucher", "present"], "gift"),
    (&["light"], "lamp"),
    (&["token"], "token"),
];

/// The drawing's name in `art.svg`.
pub fn art(title: &str, category: &str, sells: Sells) -> &'static str {
    let usual = match sells {
        Sells::Software => "window",
        Sells::Goods | Sells::Both => "parcel",
    };
    named(title).or_else(|| named(category)).unwrap_or(usual)
}

fn named(text: &str) -> Option<&'static str> {
    let words = words(text);
    let row = WORDS
        .iter()
        .find(|(keys, _)| keys.iter().any(|key| has(&words, key)));
    row.map(|(_, name)| *name)
}

/// The words in small letters, one space around each, so that whole words are found.
fn words(text: &str) -> String {
    let mut line = String::from(" ");
    for word in text
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '-')
    {
        if !word.is_empty() {
            line.push_str(word);
            line.push(' ');
        }
    }
    line
}

fn has(words: &str, key: &str) -> bool {
    words.contains(&format!(" {key} ")) || words.contains(&format!(" {key}s "))
}

#[cfg(test)]
mod tests {
    use super::{WORDS, art};
    use scrip_domain::vendor::Sells;

    const DRAWINGS: &str = include_str!("../../../assets/art.svg");

    #[test]
    fn titles_of_real_shops_find_their_drawing() {
        for (title, category, drawing) in [
            ("Clay Plant Pot", "Pot, Plants", "pot"),
            ("Copper Light", "Copper, Bedroom", "lamp"),
            ("Cream Sofa", "Couch, Wood", "sofa"),
            ("Antique Drawers", "Antique, Bedroom", "drawers"),
            ("White Bed Clothes", "Bed", "bed"),
            ("Pink Armchair", "Chair", "chair"),
            ("Wooden Outdoor Table", "Wood, Garden", "table"),
            ("Brown Throw Pillows", "Pillows", "pillow"),
            ("Yellow watering can", "Plants", "watering-can"),
            ("Gardening hand trowel", "Plants", "trowel"),
            ("Biodegradable cardboard pots", "Garden, Plants", "pots"),
            ("Wooden outdoor slats", "Wood, Garden", "fence"),
            ("Vanilla candle", "Candle", "candle"),
            ("Black Beanbag", "Black, Leather", "beanbag"),
            ("Bedside Table", "Wood, Bedroom", "bedside-table"),
            ("Ocean Blue Shirt", "men", "shirt"),
            ("Yellow Wool Jumper", "women", "sweater"),
            ("Classic Leather Jacket", "women", "jacket"),
            ("Black Leather Bag", "women", "bag"),
            ("Red Sports Tee", "women", "tee"),
            ("Striped Skirt and Top", "women", "skirt"),
            ("LED High Tops", "men", "shoe"),
            ("Gold Elephant Earrings", "Gold, Silver", "earrings"),
            ("Something else", "Plants", "plant"),
            ("Something else", "", "parcel"),
        ] {
            assert_eq!(art(title, category, Sells::Goods), drawing, "{title}");
        }
        assert_eq!(art("Software A", "", Sells::Software), "window");
    }

    #[test]
    fn every_drawing_exists() {
        let usual = ["window", "parcel", "token"];
        for name in WORDS.iter().map(|(_, name)| *name).chain(usual) {
            let symbol = format!("<symbol id=\"{name}\" ");
            assert!(DRAWINGS.contains(&symbol), "{name}");
        }
    }
}
