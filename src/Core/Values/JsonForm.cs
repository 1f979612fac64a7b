using System.Buffers;
using System.Text.Json;

namespace NodeStash.Core.Values;

/// <summary>How JSON is written everywhere: compact, and only what must be escaped is escaped (the answers are never put into HTML).</summary>
public static class JsonForm
{
    public static JsonWriterOptions Writer { get; } = new() { Encoder = new MinimalEncoder(), SkipValidation = true };

    /// <summary>Bytes of a buffer that is kept for the next text.</summary>
    private const int MaxKept = 64 * 1024;

    [ThreadStatic]
    private static Scratch? kept;

    /// <summary>A JSON array of values that are UTF-8 JSON already.</summary>
    public static ReadOnlyMemory<byte> Array(IEnumerable<ReadOnlyMemory<byte>> values) => Write(writer =>
    {
        writer.WriteStartArray();
        foreach (var value in values) writer.WriteRawValue(value.Span, skipInputValidation: true);
        writer.WriteEndArray();
    });

    /// <summary>A JSON object with the members that <paramref name="members"/> writes, UTF-8.</summary>
    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> members) => Write(writer =>
    {
        writer.WriteStartObject();
        members(writer);
        writer.WriteEndObject();
    });

    /// <summary>
    /// A JSON text, UTF-8. What is written goes to a buffer of this thread's, so that only the text itself is allocated. One text may be written
    /// within another.
    /// </summary>
    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var scratch = kept ?? new Scratch();
        kept = null;
        write(scratch.Writer);
        scratch.Writer.Flush();
        var text = scratch.Buffer.WrittenSpan.ToArray();
        scratch.Buffer.ResetWrittenCount();
        scratch.Writer.Reset();
        if (scratch.Buffer.Capacity <= MaxKept) kept = scratch;
        return text;
    }

    private sealed class Scratch
    {
        public Scratch() => Writer = new Utf8JsonWriter(Buffer, JsonForm.Writer);

        public ArrayBufferWriter<byte> Buffer { get; } = new(4096);

        public Utf8JsonWriter Writer { get; }
    }
}
