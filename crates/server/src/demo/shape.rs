//! What the three businesses of the demo are like. Data alone: who works when, and what can be booked.

/// A business.
pub(super) struct Shape {
    pub slug: &'static str,
    pub name: &'static str,
    pub zone: &'static str,
    pub currency: &'static str,
    pub locale: &'static str,
    pub location: &'static str,
    /// Where its numbers begin.
    pub seed: u64,
    /// How many bookings customers make on a day.
    pub daily: usize,
    pub providers: &'static [Person],
    pub kinds: &'static [Kind],
    pub services: &'static [Offer],
}

/// A provider.
pub(super) struct Person {
    pub name: &'static str,
    pub email: &'static str,
    /// Weekdays, 0 is Monday, and the windows of each of them.
    pub weekdays: &'static [u8],
    pub windows: &'static [(&'static str, &'static str)],
}

/// A kind of resource and the resources of it.
pub(super) struct Kind {
    pub name: &'static str,
    pub resources: &'static [&'static str],
}

/// A service. Providers and kinds are named by their places in the shape.
pub(super) struct Offer {
    pub name: &'static str,
    pub description: &'static str,
    pub minutes: i32,
    pub interval: i32,
    pub buffers: (i32, i32),
    pub capacity: i32,
    pub price: i32,
    pub providers: &'static [usize],
    pub requires: &'static [usize],
    pub notice_minutes: i32,
    pub cancellation_minutes: i32,
}

const PLAIN: Offer = Offer {
    name: "",
    description: "",
    minutes: 60,
    interval: 60,
    buffers: (0, 0),
    capacity: 1,
    price: 0,
    providers: &[],
    requires: &[],
    notice_minutes: 60,
    cancellation_minutes: 1440,
};

const fn person(
    name: &'static str,
    email: &'static str,
    weekdays: &'static [u8],
    windows: &'static [(&'static str, &'static str)],
) -> Person {
    Person {
        name,
        email,
        weekdays,
        windows,
    }
}

/// The salon, the clinic and the gym.
pub(super) const SHAPES: [&Shape; 3] = [&SALON, &CLINIC, &GYM];

const SALON: Shape = Shape {
    slug: "salon",
    name: "Aurora Hair",
    zone: "Europe/London",
    currency: "GBP",
    locale: "en-GB",
    location: "Exmouth Market",
    seed: 11,
    daily: 3,
    providers: &[
        person(
            "Maya Collins",
            "maya.collins@example.com",
            &[1, 2, 3, 4, 5],
            &[("09:00", "12:30"), ("13:15", "17:30")],
        ),
        person(
            "Tom Okafor",
            "tom.okafor@example.com",
            &[0, 1, 2, 3, 4],
            &[("09:00", "13:00"), ("14:00", "18:00")],
        ),
        person(
            "Isla Grant",
            "isla.grant@example.com",
            &[2, 3, 4, 5],
            &[("10:00", "14:00"), ("14:45", "19:00")],
        ),
        person(
            "Priya Nair",
            "priya.nair@example.com",
            &[0, 1, 4, 5],
            &[("09:30", "13:00"), ("13:30", "17:00")],
        ),
    ],
    kinds: &[Kind {
        name: "Colour bar",
        resources: &["Colour bar 1", "Colour bar 2"],
    }],
    services: &[
        Offer {
            name: "Cut and finish",
            description: "Wash, cut and blow-dry.",
            minutes: 45,
            interval: 15,
            price: 4_800,
            providers: &[0, 1, 2, 3],
            ..PLAIN
        },
        Offer {
            name: "Dry cut",
            description: "A quick tidy, no wash.",
            minutes: 30,
            interval: 15,
            price: 2_900,
            providers: &[0, 1, 2],
            ..PLAIN
        },
        Offer {
            name: "Blow-dry",
            description: "Wash and style.",
            minutes: 30,
            interval: 30,
            price: 3_200,
            providers: &[2, 3],
            ..PLAIN
        },
        Offer {
            name: "Full colour",
            description: "Root to tip, with a toner.",
            minutes: 120,
            interval: 30,
            buffers: (0, 15),
            price: 11_500,
            providers: &[0, 3],
            requires: &[0],
            notice_minutes: 240,
            ..PLAIN
        },
        Offer {
            name: "Beard trim",
            description: "Shaped with a razor.",
            minutes: 20,
            interval: 20,
            price: 1_800,
            providers: &[1],
            notice_minutes: 30,
            cancellation_minutes: 120,
            ..PLAIN
        },
    ],
};

const CLINIC: Shape = Shape {
    slug: "clinic",
    name: "Praxis am Park",
    zone: "Europe/Berlin",
    currency: "EUR",
    locale: "de-DE",
    location: "Prenzlauer Berg",
    seed: 23,
    daily: 3,
    providers: &[
        person(
            "Dr. Lena Vogt",
            "lena.vogt@example.com",
            &[0, 1, 2, 3, 4],
            &[("08:00", "12:00"), ("13:00", "17:00")],
        ),
        person(
            "Dr. Jonas Keller",
            "jonas.keller@example.com",
            &[0, 1, 3, 4],
            &[("08:30", "12:30"), ("14:00", "18:00")],
        ),
        person(
            "Aylin Demir",
            "aylin.demir@example.com",
            &[0, 1, 2, 3, 4],
            &[("08:00", "12:30"), ("13:15", "16:30")],
        ),
        person(
            "Felix Brandt",
            "felix.brandt@example.com",
            &[1, 2, 3, 5],
            &[("09:00", "13:00"), ("13:45", "18:00")],
        ),
        person(
            "Marta Nowak",
            "marta.nowak@example.com",
            &[0, 2, 4],
            &[("10:00", "14:00"), ("15:00", "19:00")],
        ),
    ],
    kinds: &[
        Kind {
            name: "Treatment room",
            resources: &["Room 1", "Room 2", "Room 3"],
        },
        Kind {
            name: "Ultrasound",
            resources: &["Ultrasound A"],
        },
    ],
    services: &[
        Offer {
            name: "Consultation",
            description: "With a physician, also the first visit.",
            minutes: 30,
            interval: 30,
            buffers: (0, 5),
            price: 6_500,
            providers: &[0, 1],
            notice_minutes: 120,
            ..PLAIN
        },
        Offer {
            name: "Physiotherapy",
            description: "One to one, in a room of your own.",
            minutes: 40,
            interval: 20,
            buffers: (5, 10),
            price: 5_400,
            providers: &[2, 3, 4],
            requires: &[0],
            notice_minutes: 720,
            ..PLAIN
        },
        Offer {
            name: "Ultrasound scan",
            description: "Come ten minutes early.",
            minutes: 30,
            interval: 30,
            buffers: (10, 10),
            price: 8_900,
            providers: &[0, 1],
            requires: &[0, 1],
            notice_minutes: 1_440,
            ..PLAIN
        },
        Offer {
            name: "Massage",
            description: "Back and neck.",
            minutes: 50,
            interval: 30,
            buffers: (5, 10),
            price: 5_900,
            providers: &[3, 4],
            requires: &[0],
            notice_minutes: 240,
            ..PLAIN
        },
        Offer {
            name: "Blood test",
            description: "Fasting, in the morning.",
            minutes: 15,
            interval: 15,
            buffers: (0, 5),
            price: 2_500,
            providers: &[2],
            notice_minutes: 720,
            ..PLAIN
        },
    ],
};

const EARLY_AND_LATE: &[(&str, &str)] = &[("06:00", "10:00"), ("16:00", "20:00")];

const GYM: Shape = Shape {
    slug: "gym",
    name: "Ironworks Gym",
    zone: "America/New_York",
    currency: "USD",
    locale: "en-US",
    location: "Greenpoint",
    seed: 37,
    daily: 6,
    providers: &[
        person(
            "Dana Ruiz",
            "dana.ruiz@example.com",
            &[0, 2, 4, 5],
            EARLY_AND_LATE,
        ),
        person(
            "Marcus Lee",
            "marcus.lee@example.com",
            &[0, 1, 2, 3, 4],
            EARLY_AND_LATE,
        ),
        person(
            "Sofia Rossi",
            "sofia.rossi@example.com",
            &[1, 3, 5, 6],
            &[("08:00", "11:00"), ("17:00", "20:00")],
        ),
    ],
    kinds: &[Kind {
        name: "Studio",
        resources: &["Studio A", "Studio B"],
    }],
    services: &[
        Offer {
            name: "Spinning",
            description: "45 minutes on the bike.",
            minutes: 45,
            capacity: 20,
            price: 2_200,
            providers: &[0],
            requires: &[0],
            cancellation_minutes: 240,
            ..PLAIN
        },
        Offer {
            name: "Strength circuit",
            description: "Stations, small weights, all levels.",
            minutes: 60,
            interval: 120,
            capacity: 12,
            price: 2_500,
            providers: &[1],
            requires: &[0],
            cancellation_minutes: 240,
            ..PLAIN
        },
        Offer {
            name: "Vinyasa yoga",
            description: "Bring a mat or borrow one.",
            minutes: 60,
            capacity: 16,
            price: 2_000,
            providers: &[2],
            requires: &[0],
            cancellation_minutes: 240,
            ..PLAIN
        },
        Offer {
            name: "Boxing basics",
            description: "Gloves are here.",
            minutes: 60,
            interval: 120,
            capacity: 14,
            price: 2_400,
            providers: &[0],
            requires: &[0],
            cancellation_minutes: 240,
            ..PLAIN
        },
        Offer {
            name: "Personal training",
            description: "One to one.",
            minutes: 60,
            price: 8_500,
            providers: &[0, 1, 2],
            notice_minutes: 720,
            ..PLAIN
        },
    ],
};

/// The names from which the customers are made.
pub(super) const FIRST_NAMES: [&str; 20] = [
    "Alice", "Ben", "Chloe", "Daniel", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jack", "Keiko",
    "Liam", "Mona", "Noah", "Olga", "Paul", "Rosa", "Samir", "Tessa", "Victor",
];
pub(super) const LAST_NAMES: [&str; 17] = [
    "Adams", "Becker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jones",
    "Khan", "Larsen", "Moreau", "Novak", "Olsen", "Patel", "Smith",
];
