using System.Text.Json;
using Microsoft.AspNetCore.Http;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;

namespace NodeStash.Functions.Api.Http;

/// <summary>What is answered: a status, headers, and a body in the envelopes of contract/v1.md.</summary>
public sealed class Answer
{
    private readonly Action<Utf8JsonWriter>? members;
    private readonly Action<Utf8JsonWriter>? meta;

    private Answer(int status, Action<Utf8JsonWriter>? members = null, Action<Utf8JsonWriter>? meta = null)
    {
        Status = status;
        this.members = members;
        this.meta = meta;
    }

    public int Status { get; }

    /// <summary>The error answered; null for success.</summary>
    public Error? Error { get; private init; }

    public string? ETag { get; private init; }

    public string? Location { get; private init; }

    /// <summary>The methods a path does have, where it was asked for another one; null otherwise.</summary>
    public string? Allow { get; private init; }

    /// <summary>Whether it was given before, to a request that this one repeats.</summary>
    public bool IsReplay { get; private init; }

    private ReadOnlyMemory<byte>? replayed;

    public static Answer NoContent { get; } = new(StatusCodes.Status204NoContent);

    public static implicit operator Answer(Error error) => new(Statuses.Of(error.Code)) { Error = error };

    public static Answer MethodNotAllowed(string allow) =>
        new(StatusCodes.Status405MethodNotAllowed)
        {
            Allow = allow,
            Error = new Error(ErrorCode.MethodNotAllowed, $"This path takes {allow}", []),
        };

    /// <summary>An answer as it was given before.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="etag">Its ETag; null for none.</param>
    /// <param name="location">Its Location; null for none.</param>
    /// <param name="body">Its body, UTF-8 JSON; null for none.</param>
    public static Answer Replayed(int status, string? etag, string? location, byte[]? body) =>
        new(status) { ETag = etag, Location = location, IsReplay = true, replayed = body is null ? default(ReadOnlyMemory<byte>?) : body };

    /// <summary>One resource, 200; or 304 where the client has this version already.</summary>
    /// <param name="type">Of the envelope.</param>
    /// <param name="record">The resource.</param>
    /// <param name="unlessKnown">The request whose If-None-Match counts; null for none.</param>
    public static Answer Found(string type, StoredRecord record, HttpRequest? unlessKnown = null)
    {
        var tag = TagOf(record.Version);
        if (unlessKnown?.Headers.IfNoneMatch is { Count: > 0 } known && known.ToString().Split(',').Any(t => t.Trim() is var one && (one == tag || one == "W/" + tag || one == "*")))
            return new Answer(StatusCodes.Status304NotModified) { ETag = tag };
        return One(StatusCodes.Status200OK, type, record.Id, record.Attributes, tag, null, null);
    }

    /// <summary>A new resource, 201.</summary>
    /// <param name="schema">Its resource.</param>
    /// <param name="record">The resource.</param>
    /// <param name="secret">Answered once, as the attribute <c>secret</c>; null for none.</param>
    /// <param name="meta">Further members of <c>meta</c>; null for none.</param>
    public static Answer Created(Schema schema, StoredRecord record, string? secret = null, Action<Utf8JsonWriter>? meta = null) => One(
        StatusCodes.Status201Created, schema.EnvelopeType, record.Id, secret is null ? record.Attributes : WithSecret(record.Attributes, secret),
        TagOf(record.Version), $"/v1/{schema.Collection}/{record.Id}", meta);

    /// <summary>A resource whose secret was made anew, 200.</summary>
    public static Answer Rotated(string type, StoredRecord record, string? secret) =>
        One(StatusCodes.Status200OK, type, record.Id, secret is null ? record.Attributes : WithSecret(record.Attributes, secret), TagOf(record.Version), null, null);

    /// <summary>One resource that is not a record of its own.</summary>
    public static Answer One(int status, string type, string id, ReadOnlyMemory<byte> attributes, string? tag, string? location, Action<Utf8JsonWriter>? meta) =>
        new(status, writer =>
        {
            writer.WritePropertyName("data"u8);
            WriteResource(writer, type, id, attributes);
        }, meta)
        {
            ETag = tag,
            Location = location,
        };

    public static Answer Listed(string type, IReadOnlyList<StoredRecord> records, string? nextCursor) =>
        Listed([.. records.Select(r => (type, r.Id, r.Attributes))], nextCursor);

    /// <param name="resources">In order.</param>
    /// <param name="nextCursor">Where to read on; null where there is nowhere.</param>
    /// <param name="hasMore">Whether there is more now; null: if there is a cursor.</param>
    /// <param name="meta">Further members of <c>meta</c>; null for none.</param>
    public static Answer Listed(
        IReadOnlyList<(string Type, string Id, ReadOnlyMemory<byte> Attributes)> resources, string? nextCursor, bool? hasMore = null, Action<Utf8JsonWriter>? meta = null) =>
        new(StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("data"u8);
            foreach (var (type, id, attributes) in resources) WriteResource(writer, type, id, attributes);
            writer.WriteEndArray();
        }, writer =>
        {
            writer.WriteStartObject("pagination"u8);
            writer.WriteString("next_cursor"u8, nextCursor);
            writer.WriteBoolean("has_more"u8, hasMore ?? nextCursor is not null);
            writer.WriteEndObject();
            meta?.Invoke(writer);
        });

    /// <summary>What was asked for is now part of something else, 301.</summary>
    /// <param name="location">Where that is.</param>
    public static Answer Moved(string location) => new(StatusCodes.Status301MovedPermanently) { Location = location };

    /// <summary>Whether a repeat of the request may do what this one could not.</summary>
    public bool IsProvisional { get; private init; }

    /// <summary>The answers to the operations of a batch, in order, 200: each its status with its data or its error.</summary>
    public static Answer Batched(IReadOnlyList<Answer> answers) => new(StatusCodes.Status200OK, writer =>
    {
        writer.WriteStartArray("data"u8);
        foreach (var answer in answers) answer.WriteItem(writer);
        writer.WriteEndArray();
    })
    {
        IsProvisional = answers.Any(answer => answer.Error?.Code is ErrorCode.Unavailable),
    };

    /// <summary>An object without an envelope, for the few answers that are no resources.</summary>
    public static Answer Bare(int status, Action<Utf8JsonWriter> members) => new(status, members);

    public static string TagOf(long version) => $"\"{Text.Invariant(version)}\"";

    /// <summary>The answer to one request, ready to be sent.</summary>
    internal IResult For(string requestId) => new AnswerResult(this, requestId);

    internal bool HasBody => members is not null || Error is not null || replayed is not null;

    /// <summary>The body, in the envelope of contract/v1.md.</summary>
    internal ReadOnlyMemory<byte> Render(string requestId) => replayed ?? JsonForm.Object(writer =>
    {
        if (Error is not null) WriteError(writer, Error);
        members?.Invoke(writer);
        writer.WriteStartObject("meta"u8);
        writer.WriteString("request_id"u8, requestId);
        meta?.Invoke(writer);
        writer.WriteEndObject();
    });

    /// <summary>An error as problem details (RFC 9457).</summary>
    internal ReadOnlyMemory<byte> RenderProblem(Error error, string requestId) => JsonForm.Object(writer =>
    {
        writer.WriteString("type"u8, "about:blank"u8);
        writer.WriteString("title"u8, Statuses.NameOf(error.Code));
        writer.WriteNumber("status"u8, Status);
        writer.WriteString("detail"u8, error.Message);
        writer.WriteString("code"u8, Statuses.NameOf(error.Code));
        if (error.Details.Count > 0) WriteDetails(writer, "errors"u8, error.Details);
        writer.WriteString("request_id"u8, requestId);
    });

    /// <summary>The <c>error</c> member.</summary>
    internal static void WriteError(Utf8JsonWriter writer, Error error)
    {
        writer.WriteStartObject("error"u8);
        writer.WriteString("code"u8, Statuses.NameOf(error.Code));
        writer.WriteString("message"u8, error.Message);
        if (error.Details.Count > 0) WriteDetails(writer, "details"u8, error.Details);
        writer.WriteEndObject();
    }

    private void WriteItem(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("status"u8, Status);
        if (Error is not null) WriteError(writer, Error);
        members?.Invoke(writer);
        if (replayed is { } before)
        {
            foreach (var member in JsonElement.Parse(before.Span).EnumerateObject().Where(m => m.Name is not "meta")) member.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<FieldFault> details)
    {
        writer.WriteStartArray(name);
        foreach (var (field, message) in details)
        {
            writer.WriteStartObject();
            writer.WriteString("field"u8, field);
            writer.WriteString("message"u8, message);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteResource(Utf8JsonWriter writer, string type, string id, ReadOnlyMemory<byte> attributes)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WriteString("type"u8, type);
        writer.WritePropertyName("attributes"u8);
        writer.WriteRawValue(attributes.Span, skipInputValidation: true);
        writer.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> WithSecret(ReadOnlyMemory<byte> attributes, string secret) => JsonForm.Object(writer =>
    {
        foreach (var property in JsonElement.Parse(attributes.Span).EnumerateObject()) property.WriteTo(writer);
        writer.WriteString("secret"u8, secret);
    });
}
