using System.Text.Json;
using Microsoft.AspNetCore.Http;
using NodeStash.Core.Records;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Renders outcomes with the envelopes, statuses and paths of /v1. docs/api/v1.md, Envelopes.</summary>
public sealed class V1Door : IDoor
{
    /// <summary>The prefix of all paths.</summary>
    public const string Root = "/v1/";

    /// <inheritdoc/>
    public Answer Render(Outcome outcome, string requestId) => outcome switch
    {
        Outcome.Rendered rendered => rendered.Answer,
        Outcome.Unchanged { Version: var version } => new Answer(StatusCodes.Status304NotModified, null) { ETag = TagOf(version) },
        Outcome.Moved { Path: var path } => new Answer(StatusCodes.Status301MovedPermanently, null) { Location = Root + path },
        _ => new Answer(StatusOf(outcome), HasBody(outcome) ? Envelope(outcome, requestId) : default(ReadOnlyMemory<byte>?))
        {
            ETag = (outcome as Outcome.Found)?.Resource.Version is { } found
                ? TagOf(found)
                : (outcome as Outcome.Created)?.Resource.Version is { } created ? TagOf(created) : null,
            Location = outcome is Outcome.Created { Path: { } path } ? Root + path : null,
            Allow = (outcome as Outcome.Refused)?.Allow,
            Error = outcome.Error,
        },
    };

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> RenderProblem(Error error, string requestId) => JsonForm.Object(writer =>
    {
        writer.WriteString("type"u8, "about:blank"u8);
        writer.WriteString("title"u8, Statuses.NameOf(error.Code));
        writer.WriteNumber("status"u8, Statuses.Of(error.Code));
        writer.WriteString("detail"u8, MessageOf(error));
        writer.WriteString("code"u8, Statuses.NameOf(error.Code));
        if (error.Details.Count > 0) WriteDetails(writer, "errors"u8, error.Details);
        writer.WriteString("request_id"u8, requestId);
    });

    /// <summary>Formats a version as an ETag.</summary>
    public static string TagOf(long version) => $"\"{Text.Invariant(version)}\"";

    private static int StatusOf(Outcome outcome) => outcome switch
    {
        Outcome.Refused { Why.Code: var code } => Statuses.Of(code),
        Outcome.Created => StatusCodes.Status201Created,
        Outcome.Accepted => StatusCodes.Status202Accepted,
        Outcome.Rendered { Answer.Status: var status } => status,
        _ => HasBody(outcome) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent,
    };

    private static bool HasBody(Outcome outcome) => outcome != Outcome.Deleted;

    private static ReadOnlyMemory<byte> Envelope(Outcome outcome, string requestId) => JsonForm.Object(writer =>
    {
        WriteMembers(writer, outcome);
        writer.WriteStartObject("meta"u8);
        writer.WriteString("request_id"u8, requestId);
        WriteMeta(writer, outcome);
        writer.WriteEndObject();
    });

    private static void WriteMembers(Utf8JsonWriter writer, Outcome outcome)
    {
        switch (outcome)
        {
            case Outcome.Refused { Why: var error }:
                WriteError(writer, error);
                break;
            case Outcome.Found { Resource: var found }:
                WriteData(writer, found);
                break;
            case Outcome.Created { Resource: var created }:
                WriteData(writer, created);
                break;
            case Outcome.Accepted { Resource: var accepted }:
                WriteData(writer, accepted);
                break;
            case Outcome.Listed { Resources: var resources }:
                writer.WriteStartArray("data"u8);
                foreach (var resource in resources) WriteResource(writer, resource);
                writer.WriteEndArray();
                break;
            case Outcome.Batched { Outcomes: var outcomes }:
                writer.WriteStartArray("data"u8);
                foreach (var one in outcomes) WriteItem(writer, one);
                writer.WriteEndArray();
                break;
            case Outcome.Report { Members: var members }:
                members(writer);
                break;
        }
    }

    private static void WriteMeta(Utf8JsonWriter writer, Outcome outcome)
    {
        if (outcome is Outcome.Created { Meta: { } created }) created(writer);
        if (outcome is not Outcome.Listed list) return;
        writer.WriteStartObject("pagination"u8);
        writer.WriteString("next_cursor"u8, list.NextCursor);
        writer.WriteBoolean("has_more"u8, list.HasMore);
        writer.WriteEndObject();
        list.Meta?.Invoke(writer);
    }

    /// <summary>Writes the result of one operation of a batch: its status, with data or an error.</summary>
    private static void WriteItem(Utf8JsonWriter writer, Outcome outcome)
    {
        writer.WriteStartObject();
        writer.WriteNumber("status"u8, StatusOf(outcome));
        WriteMembers(writer, outcome);
        if (outcome is Outcome.Rendered { Answer.Body: { } before })
        {
            foreach (var member in JsonElement.Parse(before.Span).EnumerateObject().Where(m => m.Name is not "meta")) member.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private static string MessageOf(Error error) =>
        error.Collection is null ? error.Message : $"{error.Message}; GET {Root}{error.Collection} lists those there are";

    private static void WriteError(Utf8JsonWriter writer, Error error)
    {
        writer.WriteStartObject("error"u8);
        writer.WriteString("code"u8, Statuses.NameOf(error.Code));
        writer.WriteString("message"u8, MessageOf(error));
        if (error.Details.Count > 0) WriteDetails(writer, "details"u8, error.Details);
        writer.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<FieldError> details)
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

    private static void WriteData(Utf8JsonWriter writer, Resource resource)
    {
        writer.WritePropertyName("data"u8);
        WriteResource(writer, resource);
    }

    private static void WriteResource(Utf8JsonWriter writer, Resource resource)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, resource.Id);
        writer.WriteString("type"u8, resource.Type);
        writer.WritePropertyName("attributes"u8);
        writer.WriteRawValue(resource.Attributes.Span, skipInputValidation: true);
        writer.WriteEndObject();
    }
}
