using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;

namespace NodeStash.Azure.Cosmos;

/// <summary>Derives document ids from texts of any length and characters.</summary>
internal static class HashedId
{
    public static string Of(string prefix, string key) => prefix + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}

/// <summary>Reads and writes the document of a unique key.</summary>
internal static class UniqueKeyDocument
{
    public const string Kind = "claim";

    public static string Id(string key) => HashedId.Of("claim:", key);

    public static ReadOnlyMemory<byte> New(string partition, Write.Reserve uniqueKey) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", Id(uniqueKey.Key));
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("key", uniqueKey.Key);
        writer.WriteString("owner", uniqueKey.Owner);
    });

    public static string Owner(JsonElement document) => document.GetProperty("owner").GetString()!;
}

/// <summary>Reads and writes the document of a stored answer. The service deletes it by its <c>ttl</c>.</summary>
internal static class AnswerDocument
{
    public static string Id(string key) => HashedId.Of("answer:", key);

    public static ReadOnlyMemory<byte> New(string partition, StoredAnswer answer) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", Id(answer.Key));
        writer.WriteString("pk", partition);
        writer.WriteString("kind", "answer");
        writer.WriteString("fingerprint", answer.Fingerprint);
        writer.WriteString("at", answer.At);
        writer.WriteString("content", answer.Content);
        writer.WriteNumber("ttl", (long)StoredAnswer.Retention.TotalSeconds);
    });

    public static StoredAnswer Read(string key, JsonElement document) => new(
        key, document.GetProperty("fingerprint").GetString()!, document.GetProperty("at").GetDateTimeOffset(), document.GetProperty("content").GetString()!);
}

/// <summary>Reads and writes the document of an event. The service deletes it by its <c>ttl</c>.</summary>
internal static class EventDocument
{
    public const string Kind = "event";
    public const string Columns = "c.id, c.name, c.record_type, c.record_id, c.record_version, c.at, c.body, c._ts";

    public static ReadOnlyMemory<byte> New(string partition, StoredEvent @event) => JsonForm.Object(writer =>
    {
        writer.WriteString("id", @event.Id);
        writer.WriteString("pk", partition);
        writer.WriteString("kind", Kind);
        writer.WriteString("name", @event.Name);
        writer.WriteString("record_type", @event.RecordType);
        writer.WriteString("record_id", @event.RecordId);
        writer.WriteNumber("record_version", @event.Version);
        writer.WriteNumber("at", @event.At.ToUnixTimeSeconds());
        writer.WriteString("body", @event.Body.Span);
        writer.WriteNumber("ttl", (long)StoredEvent.Retention.TotalSeconds);
    });

    public static bool Is(JsonElement document) => document.GetProperty("kind").ValueEquals(Kind);

    public static StoredEvent Read(JsonElement document) => new(
        document.GetProperty("id").GetString()!, document.GetProperty("name").GetString()!,
        document.GetProperty("record_type").GetString()!, document.GetProperty("record_id").GetString()!, document.GetProperty("record_version").GetInt64(),
        DateTimeOffset.FromUnixTimeSeconds(document.GetProperty("at").GetInt64()), Encoding.UTF8.GetBytes(document.GetProperty("body").GetString()!));
}
