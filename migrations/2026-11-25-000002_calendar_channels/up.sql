-- Where the channel of a calendar elsewhere calls, or the one that was asked for last would: this server may be reached by another address since.
ALTER TABLE calendar_source ADD COLUMN channel_address text;
