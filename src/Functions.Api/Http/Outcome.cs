using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>Describes the result of an operation, before a door gives it a status, headers and a body.</summary>
public abstract record Outcome
{
    private Outcome()
    {
    }

    /// <summary>The record was deleted; there is no data to answer.</summary>
    public static Outcome Deleted { get; } = new Gone();

    /// <summary>The reason for the refusal; null on success.</summary>
    public Error? Error => (this as Refused)?.Why;

    /// <summary>Whether a repeat may succeed where this request failed: the store was unavailable for part of a batch.</summary>
    public bool IsProvisional => this is Batched batch && batch.Outcomes.Any(outcome => outcome.Error?.Code is ErrorCode.Unavailable);

    /// <summary>Answers a stored record.</summary>
    public static Outcome Of(Schema schema, StoredRecord record) => new Found(Resource.Of(schema, record));

    /// <summary>Answers a record that was created.</summary>
    /// <param name="schema">The resource.</param>
    /// <param name="record">The stored record.</param>
    /// <param name="secret">The secret to show once, as the attribute <c>secret</c>; null for none.</param>
    /// <param name="meta">Writes additional members of <c>meta</c>; null for none.</param>
    public static Outcome New(Schema schema, StoredRecord record, string? secret = null, Action<Utf8JsonWriter>? meta = null) =>
        new Created(Resource.Of(schema, record).With(secret), $"{schema.Collection}/{record.Id}", meta);

    /// <summary>Answers a page of a list. The list has more where there is a next cursor.</summary>
    public static Outcome Page(IReadOnlyList<Resource> resources, string? nextCursor) => new Listed(resources, nextCursor, HasMore: nextCursor is not null);

    public static implicit operator Outcome(Error error) => new Refused(error);

    /// <summary>The request was refused.</summary>
    /// <param name="Why">The error for the client.</param>
    /// <param name="Allow">The methods that the path takes, after a request with another method; null otherwise.</param>
    public sealed record Refused(Error Why, string? Allow = null) : Outcome;

    /// <summary>One resource.</summary>
    public sealed record Found(Resource Resource) : Outcome;

    /// <summary>The client has the current version already.</summary>
    public sealed record Unchanged(long Version) : Outcome;

    /// <summary>A new resource.</summary>
    /// <param name="Resource">The stored resource.</param>
    /// <param name="Path">The path to read it, below the door's root, e.g. <c>contacts/ct_…</c>; null where it has none.</param>
    /// <param name="Meta">Writes additional members of <c>meta</c>; null for none.</param>
    public sealed record Created(Resource Resource, string? Path, Action<Utf8JsonWriter>? Meta = null) : Outcome;

    /// <summary>A job was accepted and runs later.</summary>
    public sealed record Accepted(Resource Resource) : Outcome;

    /// <summary>A page of a list.</summary>
    /// <param name="Resources">The resources of the page, in order.</param>
    /// <param name="NextCursor">The cursor of the next page; null where there is none.</param>
    /// <param name="HasMore">Whether the list has more resources now.</param>
    /// <param name="Meta">Writes additional members of <c>meta</c>; null for none.</param>
    public sealed record Listed(IReadOnlyList<Resource> Resources, string? NextCursor, bool HasMore, Action<Utf8JsonWriter>? Meta = null) : Outcome
    {
        /// <summary>Number of resources before this page; 0 where the list is paged by cursor.</summary>
        public int Skipped { get; init; }

        /// <summary>Number of resources in the whole list; null where they were not counted.</summary>
        public long? Total { get; init; }
    }

    /// <summary>The record was merged into another one.</summary>
    /// <param name="Path">The path of the other record, below the door's root.</param>
    public sealed record Moved(string Path) : Outcome;

    /// <summary>The outcomes of a batch, in the order of its operations.</summary>
    public sealed record Batched(IReadOnlyList<Outcome> Outcomes) : Outcome;

    /// <summary>A report that is no resource, such as the state of the process.</summary>
    public sealed record Report(Action<Utf8JsonWriter> Members) : Outcome;

    /// <summary>An answer that the door has rendered already, and that is stored for repeats.</summary>
    public sealed record Rendered(Answer Answer) : Outcome;

    private sealed record Gone : Outcome;
}

/// <summary>Holds a resource as clients see it.</summary>
/// <param name="Type">The <c>type</c> that clients see.</param>
/// <param name="Id">Its id.</param>
/// <param name="Attributes">The attributes, a JSON object in UTF-8.</param>
/// <param name="Version">The version, which rises with each change; null for a resource that has none.</param>
public sealed record Resource(string Type, string Id, ReadOnlyMemory<byte> Attributes, long? Version = null)
{
    /// <summary>Shows a stored record.</summary>
    public static Resource Of(Schema schema, StoredRecord record) => new(schema.EnvelopeType, record.Id, record.Attributes, record.Version);

    /// <summary>Shows a stored record with <c>archived_at</c>, which is null where it is not archived.</summary>
    public static Resource WithArchivedAt(Schema schema, StoredRecord record) => Of(schema, record) with
    {
        Attributes = JsonForm.Object(writer =>
        {
            foreach (var property in JsonElement.Parse(record.Attributes.Span).EnumerateObject()) property.WriteTo(writer);
            if (ArchiveState.TimeOf(record) is { } at) writer.WriteString(ArchiveState.FieldName, Text.Format(at));
            else writer.WriteNull(ArchiveState.FieldName);
        }),
    };

    /// <summary>Adds the attribute <c>secret</c>; changes nothing where the secret is null.</summary>
    public Resource With(string? secret) => secret is null
        ? this
        : this with
        {
            Attributes = JsonForm.Object(writer =>
            {
                foreach (var property in JsonElement.Parse(Attributes.Span).EnumerateObject()) property.WriteTo(writer);
                writer.WriteString("secret"u8, secret);
            }),
        };
}
