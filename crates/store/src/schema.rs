//! The tables as Diesel sees them; `migrations/` makes them.

diesel::table! {
    business (id) {
        id -> Uuid,
        slug -> Text,
        name -> Text,
        time_zone -> Text,
        currency -> Text,
        locale -> Text,
        catalogue_version -> BigInt,
        created_at -> Timestamptz,
        zone_version -> Nullable<Text>,
    }
}
diesel::table! {
    calendar (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        version -> BigInt,
    }
}
diesel::table! {
    location (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        name -> Text,
        time_zone -> Text,
        opening -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    provider (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        daily_limit -> Nullable<Int4>,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    provider_location (business_id, provider_id, location_id) {
        business_id -> Uuid,
        provider_id -> Uuid,
        location_id -> Uuid,
    }
}
diesel::table! {
    weekly_hours (business_id, provider_id, location_id) {
        business_id -> Uuid,
        provider_id -> Uuid,
        location_id -> Uuid,
        windows -> Jsonb,
    }
}
diesel::table! {
    date_override (business_id, provider_id, location_id, date) {
        business_id -> Uuid,
        provider_id -> Uuid,
        location_id -> Uuid,
        date -> Date,
        windows -> Jsonb,
    }
}
diesel::table! {
    resource_kind (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        name -> Text,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    resource (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        name -> Text,
        kind_id -> Uuid,
        location_id -> Uuid,
        units -> Int4,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    service (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        duration_minutes -> Int4,
        buffer_before_minutes -> Int4,
        buffer_after_minutes -> Int4,
        slot_interval_minutes -> Int4,
        slot_alignment -> Text,
        capacity -> Int4,
        price_amount -> BigInt,
        policy -> Jsonb,
        daily_limit -> Nullable<Int4>,
        deposit -> Jsonb,
        capture -> Text,
        created_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    service_provider (business_id, service_id, provider_id) {
        business_id -> Uuid,
        service_id -> Uuid,
        provider_id -> Uuid,
    }
}
diesel::table! {
    service_requirement (business_id, service_id, kind_id) {
        business_id -> Uuid,
        service_id -> Uuid,
        kind_id -> Uuid,
        units -> Int4,
    }
}
diesel::table! {
    block (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        calendar_id -> Uuid,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        reason -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    access_token (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        secret_hash -> Bytea,
        role -> Text,
        provider_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    customer (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        locale -> Nullable<Text>,
        created_at -> Timestamptz,
        tier -> Nullable<Text>,
        preferred_channel -> Nullable<Text>,
    }
}
diesel::table! {
    session (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        service_id -> Uuid,
        provider_id -> Uuid,
        location_id -> Uuid,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        wall_start -> Timestamp,
        time_zone -> Text,
        capacity -> Int4,
        seats_taken -> Int4,
        overlap -> Bool,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    allocation (business_id, session_id, calendar_id, unit) {
        business_id -> Uuid,
        calendar_id -> Uuid,
        unit -> Int4,
        session_id -> Uuid,
        during -> Tstzrange,
        overlap -> Bool,
    }
}
diesel::table! {
    hold (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        session_id -> Uuid,
        party_size -> Int4,
        expires_at -> Timestamptz,
        status -> Text,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    booking (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        reference -> Text,
        status -> Text,
        version -> BigInt,
        session_id -> Uuid,
        customer_id -> Uuid,
        party_size -> Int4,
        price_amount -> BigInt,
        price_currency -> Text,
        policy -> Jsonb,
        note -> Nullable<Text>,
        manage_hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    booking_change (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        booking_id -> Uuid,
        at -> Timestamptz,
        kind -> Text,
        by -> Text,
        was -> Nullable<Text>,
        becomes -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}
diesel::table! {
    idempotency (business_id, scope, key_hash) {
        business_id -> Uuid,
        scope -> Text,
        key_hash -> Bytea,
        operation -> Text,
        input_hash -> Bytea,
        answer -> Jsonb,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    event (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        seq -> BigInt,
        txid -> BigInt,
        kind -> Text,
        at -> Timestamptz,
        booking_id -> Nullable<Uuid>,
        calendar_ids -> Array<Uuid>,
        payload -> Jsonb,
    }
}
diesel::table! {
    delivery (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        event_id -> Uuid,
        plugin -> Text,
        part -> Text,
        booking_id -> Nullable<Uuid>,
        booking_version -> BigInt,
        status -> Text,
        attempts -> Int4,
        next_attempt_at -> Timestamptz,
        lease_id -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        misconfigured -> Bool,
    }
}

diesel::table! {
    delivery_attempt (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        delivery_id -> Uuid,
        at -> Timestamptz,
        ok -> Bool,
        error -> Nullable<Text>,
        duration_ms -> Int4,
    }
}
diesel::table! {
    plugin_setting (business_id, plugin) {
        business_id -> Uuid,
        plugin -> Text,
        enabled -> Bool,
        sealed -> Nullable<Bytea>,
        version -> BigInt,
        updated_at -> Timestamptz,
    }
}
diesel::table! {
    plugin_health (business_id, plugin) {
        business_id -> Uuid,
        plugin -> Text,
        last_success_at -> Nullable<Timestamptz>,
        last_error_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        failures_in_row -> Int4,
    }
}

diesel::table! {
    payment (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        booking_id -> Uuid,
        plugin -> Text,
        kind -> Text,
        status -> Text,
        amount -> BigInt,
        currency -> Text,
        reference -> Text,
        description -> Text,
        customer_name -> Text,
        customer_email -> Nullable<Text>,
        taken -> BigInt,
        refunded -> BigInt,
        refund_failed -> BigInt,
        fee -> BigInt,
        external_id -> Nullable<Text>,
        sealed -> Nullable<Bytea>,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
        capture_amount -> Nullable<BigInt>,
        saved_payment_id -> Nullable<Uuid>,
        disputes -> Jsonb,
        failure -> Nullable<Text>,
    }
}
diesel::table! {
    payment_entry (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        payment_id -> Uuid,
        kind -> Text,
        amount -> BigInt,
        currency -> Text,
        at -> Timestamptz,
    }
}
diesel::table! {
    refund (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        payment_id -> Uuid,
        amount -> BigInt,
        reason -> Nullable<Text>,
        status -> Text,
        created_at -> Timestamptz,
        failure -> Nullable<Text>,
        failed_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    inbound_call (business_id, plugin, external_id) {
        business_id -> Uuid,
        plugin -> Text,
        external_id -> Text,
        received_at -> Timestamptz,
    }
}
diesel::table! {
    calendar_connection (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        provider_id -> Uuid,
        plugin -> Text,
        account -> Text,
        subject -> Nullable<Text>,
        sealed -> Nullable<Bytea>,
        read_from -> Array<Text>,
        write_to -> Nullable<Text>,
        version -> BigInt,
        broken_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        conflict -> Nullable<Text>,
        conflict_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    calendar_consent (business_id, state_hash) {
        business_id -> Uuid,
        state_hash -> Bytea,
        provider_id -> Uuid,
        plugin -> Text,
        redirect_url -> Text,
        sealed -> Bytea,
        expires_at -> Timestamptz,
    }
}
diesel::table! {
    calendar_source (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        connection_id -> Uuid,
        provider_id -> Uuid,
        calendar -> Text,
        is_busy -> Bool,
        sync_token -> Nullable<Text>,
        full_read_at -> Nullable<Timestamptz>,
        last_sync_at -> Nullable<Timestamptz>,
        next_sync_at -> Nullable<Timestamptz>,
        nudges -> BigInt,
        failures -> Int4,
        last_error -> Nullable<Text>,
        lease_id -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        channel_id -> Nullable<Uuid>,
        channel_resource -> Nullable<Text>,
        channel_digest -> Nullable<Bytea>,
        channel_expires_at -> Nullable<Timestamptz>,
        channel_renew_at -> Nullable<Timestamptz>,
        channel_address -> Nullable<Text>,
        compared_at -> Nullable<Timestamptz>,
        whole_due_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    external_event (business_id, source_id, external_id) {
        business_id -> Uuid,
        source_id -> Uuid,
        external_id -> Text,
        calendar_id -> Uuid,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
    }
}
diesel::table! {
    calendar_link (business_id, connection_id, booking_id) {
        business_id -> Uuid,
        connection_id -> Uuid,
        booking_id -> Uuid,
        calendar -> Text,
        etag -> Nullable<Text>,
        starts_at -> Timestamptz,
        ends_at -> Timestamptz,
        revision -> BigInt,
    }
}

diesel::table! {
    webhook_endpoint (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        url -> Text,
        events -> Array<Text>,
        enabled -> Bool,
        sealed -> Binary,
        secret_version -> Int4,
        paused_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    webhook_health (business_id, endpoint_id) {
        business_id -> Uuid,
        endpoint_id -> Uuid,
        failures_in_row -> Int4,
        failing_since -> Timestamptz,
        resting_until -> Nullable<Timestamptz>,
        last_error -> Text,
    }
}
diesel::table! {
    notification_rule (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        moment -> Text,
        offset_minutes -> Int4,
        audience -> Text,
        channels -> Array<Text>,
        template -> Text,
        enabled -> Bool,
        service_ids -> Array<Uuid>,
        created_at -> Timestamptz,
        customer_tiers -> Array<Text>,
    }
}
diesel::table! {
    notification (business_id, id) {
        business_id -> Uuid,
        id -> Uuid,
        booking_id -> Uuid,
        rule_id -> Uuid,
        occasion_id -> Uuid,
        booking_version -> BigInt,
        recipient -> Text,
        channel -> Text,
        plugin -> Text,
        address -> Text,
        due_at -> Timestamptz,
        status -> Text,
        subject -> Nullable<Text>,
        body -> Nullable<Text>,
        error -> Nullable<Text>,
        external_id -> Nullable<Text>,
        delivery_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        tried_at -> Nullable<Timestamptz>,
        attempts -> BigInt,
    }
}
diesel::table! {
    message_opt_out (business_id, channel, address) {
        business_id -> Uuid,
        channel -> Text,
        address -> Text,
        since -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(delivery, event);
diesel::allow_tables_to_appear_in_same_query!(booking, session);
diesel::allow_tables_to_appear_in_same_query!(allocation, session);
