//! What a template may show. All of it is always there; what there is none of is empty.

use plugin_api::Variable;

const fn variable(name: &'static str, description: &'static str) -> Variable {
    Variable { name, description }
}

/// Every variable.
pub const VARIABLES: [Variable; 27] = [
    variable("business", "The name of the business."),
    variable("service", "The name of the service."),
    variable("customer", "The name of the customer."),
    variable(
        "provider",
        "The name of the provider; in a message to who loses the booking, their own.",
    ),
    variable("recipient", "The name of whom it is for."),
    variable(
        "language",
        "The language in which dates and facts are given: `en`, `de`, `es`, `fr`, `ja` or `zh-Hans`.",
    ),
    variable("location", "The name of the location."),
    variable(
        "start",
        "The date and time at which it begins, in the recipient's language and zone.",
    ),
    variable("when", "From when to when, with the zone."),
    variable("date", "The date on which it begins."),
    variable("time", "The time at which it begins."),
    variable("end_time", "The time at which it ends."),
    variable("time_zone", "The zone in which times are given."),
    variable("before", "When it began before it moved."),
    variable(
        "previous_provider",
        "With whom it was before it moved to another.",
    ),
    variable("reference", "The booking's reference."),
    variable("price", "What it costs."),
    variable(
        "status",
        "How the booking stands: `pending`, `confirmed`, `checked_in`, `completed`, `cancelled`, `no_show` or `expired`.",
    ),
    variable("places", "How many places it has."),
    variable("note", "What the customer wrote."),
    variable("reason", "Why it was changed or cancelled."),
    variable(
        "customer_email",
        "The customer's email address; empty in messages to customers.",
    ),
    variable(
        "customer_phone",
        "The customer's telephone number; empty in messages to customers.",
    ),
    variable(
        "feedback_url",
        "Where feedback is asked for, as the settings say.",
    ),
    variable("event", "What happened: `booking.confirmed`."),
    variable(
        "newly_with_provider",
        "Whether it moved here from another provider.",
    ),
    variable(
        "rows",
        "The facts that concern the recipient, each with `label` and `value`.",
    ),
];
