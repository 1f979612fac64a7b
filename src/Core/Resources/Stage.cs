using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>A stage of a pipeline, kept inside the pipeline's record, so that positions always change together.</summary>
/// <param name="Id"><c>ps_…</c>; empty where it is still to be made.</param>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Position">From 0, without gaps.</param>
/// <param name="Type">open, won or lost.</param>
/// <param name="Version">Its own: rises by one with each change of this stage.</param>
/// <param name="CreatedAt">To the second.</param>
/// <param name="UpdatedAt">To the second.</param>
public sealed record Stage(string Id, string Name, int Position, string Type, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public const string Prefix = "ps_";

    private static readonly TextField NameField = new("name", 100)
    {
        IsRequired = true, Description = "What the stage is called.", Example = "\"Qualified\"",
    };

    private static readonly ChoiceField TypeField = new("type", "open", "won", "lost")
    {
        Description = "Whether a deal in it is open, won or lost; open if absent.",
    };

    private static readonly IntegerField PositionField = new("position", 0, int.MaxValue)
    {
        Description = "Its place among the stages, from 0; the last if absent.",
    };

    /// <summary>What a client sends of a stage.</summary>
    public static Form Form { get; } = new(NameField, TypeField, PositionField) { SetByServer = ["id", "created_at", "updated_at", "pipeline_id"] };

    /// <summary>Whether a deal in it is not closed.</summary>
    public bool IsOpen => Type is "open";

    /// <summary>Whether to a client it is the same but for version and times.</summary>
    public bool IsLike(Stage other) => (Name, Position, Type) == (other.Name, other.Position, other.Type);

    /// <summary>Reads what a client gives of a stage.</summary>
    /// <param name="json">An object with name, type and position, all optional where there is an <paramref name="old"/> one.</param>
    /// <param name="old">The stage to change; null for a new one.</param>
    /// <param name="next">The position of a new stage that names none.</param>
    /// <param name="path">Goes before the names of faulty fields, e.g. <c>stages[0].</c></param>
    /// <param name="errors">Where faults go.</param>
    public static Stage Read(JsonElement json, Stage? old, int next, string path, ValidationErrors errors)
    {
        var (values, stage) = (Form.Read(json, path, errors, isChange: old is not null), old ?? new Stage("", "", next, "open", 1, default, default));
        return stage with
        {
            Name = values[NameField] as string ?? stage.Name,
            Type = values[TypeField] as string ?? stage.Type,
            Position = (int)(values[PositionField] as long? ?? stage.Position),
        };
    }

    /// <summary>Its members as a flat object has them.</summary>
    /// <param name="writer">Inside the object.</param>
    /// <param name="pipelineId">Written too, where it stands outside its pipeline; null inside.</param>
    public void WriteTo(Utf8JsonWriter writer, string? pipelineId)
    {
        writer.WriteString("id"u8, Id);
        if (pipelineId is not null) writer.WriteString("pipeline_id"u8, pipelineId);
        writer.WriteString("name"u8, Name);
        writer.WriteNumber("position"u8, Position);
        writer.WriteString("type"u8, Type);
        writer.WriteString("created_at"u8, Text.Format(CreatedAt));
        writer.WriteString("updated_at"u8, Text.Format(UpdatedAt));
    }

    /// <summary>The attributes of its own envelope.</summary>
    /// <param name="pipelineId">The pipeline it is in; null where it is shown inside it.</param>
    /// <param name="dealCount">How many deals it holds; null where that was not asked for.</param>
    public ReadOnlyMemory<byte> Attributes(string? pipelineId, long? dealCount = null) => JsonForm.Object(writer =>
    {
        WriteTo(writer, pipelineId);
        if (dealCount is { } count) writer.WriteNumber("deal_count"u8, count);
    });
}

/// <summary>The stages of a pipeline, by position.</summary>
public sealed class StagesField(string name) : Field(name)
{
    /// <summary>So that a pipeline with all its stages fits one commit.</summary>
    public const int MaxStages = 40;

    public override Facets Facets => new(JsonType.Array) { MaxItems = MaxStages, Items = new(JsonType.Object) { Members = Stage.Form } };

    public IReadOnlyList<Stage> Of(Record record) => (IReadOnlyList<Stage>?)record[this] ?? [];

    public override object? Read(JsonElement json, string path, ValidationErrors errors)
    {
        if (json.ValueKind is not JsonValueKind.Array) return errors.WrongType(path, "an array of stages", json);
        var stages = new List<Stage>();
        foreach (var item in json.EnumerateArray())
        {
            var inner = $"{path}[{stages.Count}]";
            if (item.ValueKind is not JsonValueKind.Object) errors.WrongType(inner, "an object with name, type and position", item);
            stages.Add(item.ValueKind is JsonValueKind.Object
                ? Stage.Read(item, null, stages.Count, inner + ".", errors)
                : new Stage("", "", stages.Count, "open", 1, default, default));
        }

        if (stages.Count > MaxStages) errors.Add(path, $"At most {MaxStages} stages");
        return stages;
    }

    public override object? Load(JsonElement json) => json.EnumerateArray().Select(LoadStage).ToList();

    public override void Write(Utf8JsonWriter writer, object value)
    {
        writer.WriteStartArray();
        foreach (var stage in (IReadOnlyList<Stage>)value)
        {
            writer.WriteStartObject();
            stage.WriteTo(writer, null);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be filtered by");

    public override bool Same(object? left, object? right) =>
        ((IReadOnlyList<Stage>?)left ?? []).SequenceEqual((IReadOnlyList<Stage>?)right ?? []);

    private static Stage LoadStage(JsonElement json) => new(
        json.GetProperty("id").GetString()!,
        json.GetProperty("name").GetString()!,
        json.GetProperty("position").GetInt32(),
        json.GetProperty("type").GetString()!,
        Version: 1,
        json.GetProperty("created_at").GetDateTimeOffset(),
        json.GetProperty("updated_at").GetDateTimeOffset());
}
