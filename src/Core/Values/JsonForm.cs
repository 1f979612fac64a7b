using System.Buffers;
using System.Text.Json;

namespace NodeStash.Core.Values;

/// <summary>Writes JSON in the one form that the product uses: compact, with as few escapes as RFC 8259 allows. Answers are never put into HTML.</summary>
public static class JsonForm
{
    /// <summary>The options for every JSON writer. They do not validate what is written.</summary>
    public static JsonWriterOptions Writer { get; } = new() { Encoder = new MinimalEncoder(), SkipValidation = true };

    /// <summary>The maximum size in bytes of a buffer that a thread keeps for the next text.</summary>
    private const int MaxCachedBytes = 64 * 1024;

    [ThreadStatic]
    private static Scratch? cached;

    /// <summary>Writes a JSON array of values that are UTF-8 JSON already.</summary>
    public static ReadOnlyMemory<byte> Array(IEnumerable<ReadOnlyMemory<byte>> values) => Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var value in values) writer.WriteRawValue(value.Span, skipInputValidation: true);
        writer.WriteEndArray();
    });

    /// <summary>Writes a JSON object, as UTF-8.</summary>
    /// <param name="members">Writes the members of the object.</param>
    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> members) => Write(writer =>
    {
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
    });

    /// <summary>
    /// Writes a JSON text, as UTF-8. Each thread reuses a buffer, so that only the text itself is allocated. Calls may be nested.
    /// </summary>
    /// <param name="write">Writes the text.</param>
    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var scratch = cached ?? new Scratch();
        cached = null;
        write(scratch.Writer);
        scratch.Writer.Flush();
        var text = scratch.Buffer.WrittenSpan.ToArray();
        scratch.Buffer.ResetWrittenCount();
        scratch.Writer.Reset();
        if (scratch.Buffer.Capacity <= MaxCachedBytes) cached = scratch;
        return text;
    }

    private sealed class Scratch
    {
        public Scratch() => Writer = new Utf8JsonWriter(Buffer, JsonForm.Writer);

        public ArrayBufferWriter<byte> Buffer { get; } = new(4096);

        public Utf8JsonWriter Writer { get; }
    }
}
