namespace NodeStash.Core.Storage;

/// <summary>Holds one version of a record, as it is stored and read.</summary>
/// <param name="Type">The type, e.g. <c>contact</c>.</param>
/// <param name="Id">The id, e.g. <c>ct_…</c>; unique in the partition.</param>
/// <param name="Version">The number of the version, from 1, which is the record's ETag. It rises by one with each change.</param>
/// <param name="Attributes">The attributes as the API answers them: a JSON object in UTF-8.</param>
/// <param name="Internal">The fields that the API never answers, e.g. a sealed secret: a JSON object in UTF-8; null for none.</param>
public sealed record StoredRecord(string Type, string Id, long Version, ReadOnlyMemory<byte> Attributes, ReadOnlyMemory<byte>? Internal = null);

/// <summary>Holds an event, as it is stored: one thing that happened to one record.</summary>
/// <param name="Id">The id, <c>evt_…</c></param>
/// <param name="Name">The name, e.g. <c>deal.stage_changed</c>.</param>
/// <param name="RecordType">The type of the record, e.g. <c>deal</c>.</param>
/// <param name="RecordId">The record it happened to.</param>
/// <param name="Version">The record's version after the change. It orders the events of a record; the id orders events of one change.</param>
/// <param name="At">When it happened, to the second.</param>
/// <param name="Body">The event as it is sent to webhooks, UTF-8 JSON (docs/api/webhooks.md).</param>
public sealed record StoredEvent(string Id, string Name, string RecordType, string RecordId, long Version, DateTimeOffset At, ReadOnlyMemory<byte> Body)
{
    /// <summary>Time for which an event is kept: 30 days.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);
}

/// <summary>Keeps the answer to a request, to answer repeats of the request with it. Source: docs/api/v1.md, Idempotency.</summary>
/// <param name="Key">The credential and the client's Idempotency-Key; unique in the partition.</param>
/// <param name="Fingerprint">A hash of method, path and body. It tells a repeat from another request under the same key.</param>
/// <param name="At">When the request was answered.</param>
/// <param name="Content">The answer, in a format that only the API reads.</param>
public sealed record StoredAnswer(string Key, string Fingerprint, DateTimeOffset At, string Content)
{
    /// <summary>Time for which an answer is kept: 24 hours.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(24);
}

/// <summary>Selects what to read of the event log.</summary>
/// <param name="After">The <see cref="EventPage.Position"/> after which to read. Null begins with the oldest event; so does a text that is no
/// position of this store.</param>
/// <param name="Limit">The most events to return.</param>
/// <param name="Name">Reads only events of this name; null for all.</param>
/// <param name="RecordId">Reads only events of this record; null for all.</param>
/// <param name="From">Reads only events at or after this time; null for all.</param>
public sealed record EventQuery(string? After, int Limit, string? Name = null, string? RecordId = null, DateTimeOffset? From = null);

/// <summary>Holds one page of the event log.</summary>
/// <param name="Events">The events, oldest first.</param>
/// <param name="Position">Where to continue, in a format of the store: the position of the last event, or the requested one if there is no event.</param>
/// <param name="HasMore">Whether more events were stored when the page was read.</param>
public sealed record EventPage(IReadOnlyList<StoredEvent> Events, string? Position, bool HasMore);
