using System.Text.Json;

namespace Microsoft.DurableTask.Converters;

/// <summary>JSON with property names as declared; fields are included.</summary>
public class JsonDataConverter(JsonSerializerOptions? options = null) : DataConverter
{
    private static readonly JsonSerializerOptions AsDeclared = new() { IncludeFields = true };

    private readonly JsonSerializerOptions options = options ?? AsDeclared;

    public static JsonDataConverter Default { get; } = new();

    public override string? Serialize(object? value) => value is null ? null : JsonSerializer.Serialize(value, options);

    public override object? Deserialize(string? data, Type targetType) => data is null ? null : JsonSerializer.Deserialize(data, targetType, options);
}
