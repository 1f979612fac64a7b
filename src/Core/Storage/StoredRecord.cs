namespace NodeStash.Core.Storage;

/// <summary>A record as it is stored and read.</summary>
/// <param name="Type">E.g. <c>contact</c>.</param>
/// <param name="Id">E.g. <c>ct_…</c>; unique in the partition.</param>
/// <param name="Version">Rises by one with each change, from 1. The record's ETag.</param>
/// <param name="Attributes">The attributes object as the API answers it, UTF-8 JSON.</param>
/// <param name="Internal">A JSON object of fields that are never answered (a sealed secret, say), or null.</param>
public sealed record StoredRecord(string Type, string Id, long Version, ReadOnlyMemory<byte> Attributes, ReadOnlyMemory<byte>? Internal = null);

/// <summary>An event as it is stored: what happened to one record.</summary>
/// <param name="Id"><c>evt_…</c></param>
/// <param name="Name">E.g. <c>deal.stage_changed</c>.</param>
/// <param name="RecordType">E.g. <c>deal</c>.</param>
/// <param name="RecordId">The record it happened to.</param>
/// <param name="Version">The record's version after the change; orders the events of a record, with the id for events of one change.</param>
/// <param name="At">When, to the second.</param>
/// <param name="Body">The event as it is sent to webhooks, UTF-8 JSON (docs/api/webhooks.md).</param>
public sealed record StoredEvent(string Id, string Name, string RecordType, string RecordId, long Version, DateTimeOffset At, ReadOnlyMemory<byte> Body)
{
    /// <summary>How long an event is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);
}

/// <summary>An answer that was given to a request, kept for 24 hours for repeats of the request (docs/api/v1.md, Idempotency).</summary>
/// <param name="Key">Of credential and client's key; unique in the partition.</param>
/// <param name="Fingerprint">Of method, path and body: tells a repeat from another request under the same key.</param>
/// <param name="At">When it was given.</param>
/// <param name="Content">The answer, in a form of the API's own.</param>
public sealed record StoredAnswer(string Key, string Fingerprint, DateTimeOffset At, string Content)
{
    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(24);
}

/// <summary>What to read of the event log.</summary>
/// <param name="After">The position after which to read, as <see cref="EventPage.Position"/> had it. Null is the beginning; so is a text that is no
/// position of this store.</param>
/// <param name="Limit">The most events to answer.</param>
/// <param name="Name">Only events of this name; null for all.</param>
/// <param name="RecordId">Only events of this record; null for all.</param>
/// <param name="From">Only events at or after this time; null for all.</param>
public sealed record EventQuery(string? After, int Limit, string? Name = null, string? RecordId = null, DateTimeOffset? From = null);

/// <param name="Events">Oldest first.</param>
/// <param name="Position">Where to read on, in a form of the store's own: the position of the last event, or the one asked for where there is none.</param>
/// <param name="HasMore">Whether there was more when this was read.</param>
public sealed record EventPage(IReadOnlyList<StoredEvent> Events, string? Position, bool HasMore);
