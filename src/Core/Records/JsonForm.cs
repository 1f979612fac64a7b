using System.Buffers;
using System.Text.Json;

namespace NodeStash.Core.Records;

/// <summary>How JSON is written everywhere: compact, and only what must be escaped is escaped (the answers are never put into HTML).</summary>
public static class JsonForm
{
    public static JsonWriterOptions Writer { get; } = new() { Encoder = new MinimalEncoder(), SkipValidation = true };

    /// <summary>A JSON array of values that are UTF-8 JSON already.</summary>
    public static ReadOnlyMemory<byte> Array(IEnumerable<ReadOnlyMemory<byte>> values)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Writer))
        {
            writer.WriteStartArray();
            foreach (var value in values) writer.WriteRawValue(value.Span, skipInputValidation: true);
            writer.WriteEndArray();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>A JSON object with the members that <paramref name="members"/> writes, UTF-8.</summary>
    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Writer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
