using System.Text.Json;
using NodeStash.Core.Records;
using NodeStash.Core.Values;

namespace NodeStash.Core.Resources;

/// <summary>Describes a stage of a pipeline. It is stored in the record of the pipeline, so that positions change together.</summary>
/// <param name="Id">The id, <c>ps_…</c>; empty until a new stage gets one.</param>
/// <param name="Name">The name, at most 100 characters.</param>
/// <param name="Position">The position, from 0, without gaps.</param>
/// <param name="Type">The type: open, won or lost.</param>
/// <param name="Version">The version of the stage; it rises by one with each change of this stage.</param>
/// <param name="CreatedAt">When it was created, to the second.</param>
/// <param name="UpdatedAt">When it was last changed, to the second.</param>
public sealed record Stage(string Id, string Name, int Position, string Type, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Prefix of the ids of stages.</summary>
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

    /// <summary>The form of a stage that a client sends.</summary>
    public static Form Form { get; } = new(NameField, TypeField, PositionField) { SetByServer = ["id", "created_at", "updated_at", "pipeline_id"] };

    /// <summary>Whether deals in the stage are open, i.e. neither won nor lost.</summary>
    public bool IsOpen => Type is "open";

    /// <summary>Whether two stages are equal except for id, version and times.</summary>
    public bool IsLike(Stage other) => (Name, Position, Type) == (other.Name, other.Position, other.Type);

    /// <summary>Reads a new or changed stage from a client's JSON.</summary>
    /// <param name="json">An object with name, type and position, all optional if there is an <paramref name="old"/> stage.</param>
    /// <param name="old">The stage to change; null for a new one.</param>
    /// <param name="next">The position of a new stage that names none.</param>
    /// <param name="path">Prefix for the names of fields in errors, e.g. <c>stages[0].</c></param>
    /// <param name="errors">Receives validation errors.</param>
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

    /// <summary>Writes the members of the stage into a JSON object.</summary>
    /// <param name="writer">The writer, inside the object.</param>
    /// <param name="pipelineId">The pipeline, to be written, too; null if the stage is shown inside its pipeline.</param>
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

    /// <summary>Renders the attributes of the stage as UTF-8 JSON.</summary>
    /// <param name="pipelineId">The pipeline of the stage; null if it is shown inside its pipeline.</param>
    /// <param name="dealCount">The number of deals in the stage, to be written, too; null to leave it out.</param>
    public ReadOnlyMemory<byte> Attributes(string? pipelineId, long? dealCount = null) => JsonForm.Object(writer =>
    {
        WriteTo(writer, pipelineId);
        if (dealCount is { } count) writer.WriteNumber("deal_count"u8, count);
    });
}

/// <summary>Holds the stages of a pipeline, by position.</summary>
public sealed class StagesField(string name) : Field(name)
{
    /// <summary>Most stages of a pipeline, so that a pipeline with all its stages fits into one commit.</summary>
    public const int MaxStages = 40;

    /// <inheritdoc/>
    public override Facets Facets => new(JsonType.Array) { MaxItems = MaxStages, Items = new(JsonType.Object) { Members = Stage.Form } };

    /// <summary>Returns the stages of a pipeline; each has version 1, see <see cref="Pipeline.StagesOf"/>.</summary>
    public IReadOnlyList<Stage> Of(Record record) => (IReadOnlyList<Stage>?)record[this] ?? [];

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override object? Load(JsonElement json) => json.EnumerateArray().Select(LoadStage).ToList();

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override object? ReadKey(string text, string parameter, ValidationErrors errors) => errors.Add(parameter, "Can't be used as a filter");

    /// <inheritdoc/>
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
