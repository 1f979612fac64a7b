using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Functions.Api.Http;

/// <summary>What an operation came to, before a door gives it a status, headers and a body.</summary>
public abstract record Outcome
{
    private Outcome()
    {
    }

    /// <summary>Nothing is left to be answered: it was deleted.</summary>
    public static Outcome Deleted { get; } = new Gone();

    /// <summary>Why it was refused; null where it succeeded.</summary>
    public Error? Error => (this as Refused)?.Why;

    /// <summary>Whether a repeat of the request may do what this one could not.</summary>
    public bool IsProvisional => this is Batched batch && batch.Outcomes.Any(outcome => outcome.Error?.Code is ErrorCode.Unavailable);

    /// <summary>A record as it is stored.</summary>
    public static Outcome Of(Schema schema, StoredRecord record) => new Found(Resource.Of(schema, record));

    /// <summary>A new record.</summary>
    /// <param name="schema">Of which resource.</param>
    /// <param name="record">As it is stored.</param>
    /// <param name="secret">Shown once, as the attribute <c>secret</c>; null for none.</param>
    /// <param name="meta">Writes what is told beside it; null for nothing.</param>
    public static Outcome New(Schema schema, StoredRecord record, string? secret = null, Action<Utf8JsonWriter>? meta = null) =>
        new Created(Resource.Of(schema, record).With(secret), $"{schema.Collection}/{record.Id}", meta);

    /// <summary>A page whose last place is known by a cursor: there is more where there is one.</summary>
    public static Outcome Page(IReadOnlyList<Resource> resources, string? nextCursor) => new Listed(resources, nextCursor, HasMore: nextCursor is not null);

    public static implicit operator Outcome(Error error) => new Refused(error);

    /// <summary>It was refused.</summary>
    /// <param name="Why">For the client.</param>
    /// <param name="Allow">The methods that the path takes, where it was asked for another; null otherwise.</param>
    public sealed record Refused(Error Why, string? Allow = null) : Outcome;

    /// <summary>One resource.</summary>
    public sealed record Found(Resource Resource) : Outcome;

    /// <summary>One resource of the version that the client has already.</summary>
    public sealed record Unchanged(long Version) : Outcome;

    /// <summary>A new resource.</summary>
    /// <param name="Resource">As it is stored.</param>
    /// <param name="Path">Where it is read, below the door's root, e.g. <c>contacts/ct_…</c>; null where it can't be read.</param>
    /// <param name="Meta">Writes what is told beside it; null for nothing.</param>
    public sealed record Created(Resource Resource, string? Path, Action<Utf8JsonWriter>? Meta = null) : Outcome;

    /// <summary>Work that is done later.</summary>
    public sealed record Accepted(Resource Resource) : Outcome;

    /// <summary>Several resources in order.</summary>
    /// <param name="Resources">Of one page.</param>
    /// <param name="NextCursor">Where to read on; null where there is nowhere.</param>
    /// <param name="HasMore">Whether there is more now.</param>
    /// <param name="Meta">Writes what is told beside them; null for nothing.</param>
    public sealed record Listed(IReadOnlyList<Resource> Resources, string? NextCursor, bool HasMore, Action<Utf8JsonWriter>? Meta = null) : Outcome
    {
        /// <summary>How many of the whole list come before these; 0 where it is paged by cursor.</summary>
        public int Skipped { get; init; }

        /// <summary>How many the whole list has; null where they were not counted.</summary>
        public long? Total { get; init; }
    }

    /// <summary>What was asked for is part of something else now.</summary>
    /// <param name="Path">Where that is, below the door's root.</param>
    public sealed record Moved(string Path) : Outcome;

    /// <summary>The outcomes of a batch, in the order of its operations.</summary>
    public sealed record Batched(IReadOnlyList<Outcome> Outcomes) : Outcome;

    /// <summary>Something that is no resource, such as the state of the process.</summary>
    public sealed record Report(Action<Utf8JsonWriter> Members) : Outcome;

    /// <summary>An answer that the door has rendered already: it is kept for repeats, or was given before.</summary>
    public sealed record Rendered(Answer Answer) : Outcome;

    private sealed record Gone : Outcome;
}

/// <summary>A resource as it is shown.</summary>
/// <param name="Type">What clients call its type.</param>
/// <param name="Id">Its id.</param>
/// <param name="Attributes">A JSON object, UTF-8.</param>
/// <param name="Version">Rises with each change; null for a resource that has none.</param>
public sealed record Resource(string Type, string Id, ReadOnlyMemory<byte> Attributes, long? Version = null)
{
    /// <summary>A record as it is stored.</summary>
    public static Resource Of(Schema schema, StoredRecord record) => new(schema.EnvelopeType, record.Id, record.Attributes, record.Version);

    /// <summary>A record as a door with an archive shows it: with <c>archived_at</c>, null where it is not archived.</summary>
    public static Resource WithArchivedAt(Schema schema, StoredRecord record) => Of(schema, record) with
    {
        Attributes = JsonForm.Object(writer =>
        {
            foreach (var property in JsonElement.Parse(record.Attributes.Span).EnumerateObject()) property.WriteTo(writer);
            if (ArchiveState.TimeOf(record) is { } at) writer.WriteString(ArchiveState.FieldName, Text.Format(at));
            else writer.WriteNull(ArchiveState.FieldName);
        }),
    };

    /// <summary>The same with its secret, which is shown once; the same without where it is null.</summary>
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
