using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Core.Storage;
using NodeStash.Core.Values;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>Serves the stages of a pipeline. docs/api/v1.md, Pipelines and stages.</summary>
public sealed class StageEndpoints(Http.Api api)
{
    private const string Type = "pipeline_stage";
    private const string Noun = "pipeline stage";
    private const string Path = "v1/pipelines/{id}/stages/{stageId}";

    private static readonly ErrorCode[] rules = [ErrorCode.Conflict, ErrorCode.UnprocessableEntity];

    private static readonly Parameter include = new(
        "include", new(JsonType.String) { Choices = ["deal_count"] }, "What is answered beside each stage.", ReadInclude);

    private static readonly Success one = new(StatusCodes.Status200OK, Type) { Attributes = Stage.Form.Fields };

    private static readonly Operation list = new()
    {
        Name = "stages-list",
        Method = "GET",
        Route = "v1/pipelines/{id}/stages",
        Summary = "List the stages of a pipeline by position.",
        Scopes = [Scope.PipelinesRead],
        Parameters = [include],
        Answers = [one with { IsList = true }],
    };

    private static readonly Operation create = new()
    {
        Name = "stages-create",
        Method = "POST",
        Route = "v1/pipelines/{id}/stages",
        Summary = "Add a stage to a pipeline; those behind it move on.",
        Scopes = [Scope.PipelinesWrite],
        Parameters = [Parameter.DryRun],
        Body = Stage.Form,
        Answers = [one with { Status = StatusCodes.Status201Created }],
        OwnErrors = rules,
    };

    private static readonly Operation get = new()
    {
        Name = "stages-get",
        Method = "GET",
        Route = Path,
        Summary = "Read a stage.",
        Scopes = [Scope.PipelinesRead],
        Parameters = [include],
        Answers = [one, new Success(StatusCodes.Status304NotModified, null)],
        TakesIfNoneMatch = true,
    };

    private static readonly Operation update = new()
    {
        Name = "stages-update",
        Method = "PATCH",
        Route = Path,
        Summary = "Change the given fields of a stage; a new position moves it there.",
        Scopes = [Scope.PipelinesWrite],
        Parameters = [Parameter.DryRun],
        Body = Stage.Form,
        Answers = [one],
        OwnErrors = rules,
        TakesIfMatch = true,
    };

    private static readonly Operation delete = new()
    {
        Name = "stages-delete",
        Method = "DELETE",
        Route = Path,
        Summary = "Delete a stage without deals; those behind it move up.",
        Scopes = [Scope.PipelinesWrite],
        Parameters = [Parameter.DryRun],
        Answers = [new Success(StatusCodes.Status204NoContent, null)],
        OwnErrors = rules,
        TakesIfMatch = true,
    };

    [Function("stages-list")]
    public Task<IResult> List([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/pipelines/{id}/stages")] HttpRequest request, string id) =>
        api.Run(request, list, async call =>
        {
            var count = WithCount(call);
            var found = await call.Records.Get(Pipeline.Schema, id, call.Aborted);
            if (found.Error is { } error) return error;
            var stages = new List<Resource>();
            foreach (var stage in StagesOf(found.Value)) stages.Add(new Resource(Type, stage.Id, await Attributes(call, stage, id, count)));
            return Outcome.Page(stages, nextCursor: null);
        });

    [Function("stages-create")]
    public Task<IResult> Create([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/pipelines/{id}/stages")] HttpRequest request, string id) =>
        api.Run(request, create, async call =>
        {
            var body = await call.Body();
            IReadOnlyList<string> before = [];
            return await call.Write(records => records.Update(Pipeline.Schema, id, null, (change, errors) =>
            {
                before = [.. Pipeline.StagesOf(change.Before!).Select(s => s.Id)];
                Pipeline.AddStage(change.After!, body, errors);
                return null;
            }, call.Aborted), stored => Created(StagesOf(stored).First(s => !before.Contains(s.Id)), id));
        });

    [Function("stages-get")]
    public Task<IResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/pipelines/{id}/stages/{stageId}")] HttpRequest request, string id, string stageId) =>
        api.Run(request, get, async call =>
        {
            var count = WithCount(call);
            if (CheckId(stageId) is { } wrong) return wrong;
            var found = await call.Records.Get(Pipeline.Schema, id, call.Aborted);
            if (found.Error is { } error) return error;
            if (StagesOf(found.Value).FirstOrDefault(s => s.Id == stageId) is not { } stage) return Error.NotFound(Noun, stageId);
            if (!count && call.MatchesIfNoneMatch(V1Door.TagOf(stage.Version))) return new Outcome.Unchanged(stage.Version);
            return new Outcome.Found(new Resource(Type, stage.Id, await Attributes(call, stage, id, count), stage.Version));
        });

    [Function("stages-update")]
    public Task<IResult> Update(
        [HttpTrigger(AuthorizationLevel.Anonymous, "patch", Route = "v1/pipelines/{id}/stages/{stageId}")] HttpRequest request, string id, string stageId) =>
        api.Run(request, update, async call =>
        {
            var (body, ifVersion) = (await call.Body(), call.IfMatch());
            if (CheckId(stageId) is { } wrong) return wrong;
            return await call.Write(records => records.Update(Pipeline.Schema, id, null, (change, errors) =>
            {
                var refused = Precondition(change, stageId, ifVersion);
                if (refused is null) Pipeline.ChangeStage(change.After!, stageId, body, errors);
                return refused;
            }, call.Aborted), stored => Found(StagesOf(stored).First(s => s.Id == stageId), id));
        });

    [Function("stages-delete")]
    public Task<IResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/pipelines/{id}/stages/{stageId}")] HttpRequest request, string id, string stageId) =>
        api.Run(request, delete, async call =>
        {
            var ifVersion = call.IfMatch();
            if (CheckId(stageId) is { } wrong) return wrong;
            return await call.Delete(async records => (await records.Update(Pipeline.Schema, id, null, (change, _) =>
            {
                var refused = Precondition(change, stageId, ifVersion);
                if (refused is null) Pipeline.RemoveStage(change.After!, stageId);
                return refused;
            }, call.Aborted)).Error);
        });

    private static object? ReadInclude(string text, ValidationErrors errors) => text switch
    {
        "" => null,
        "deal_count" => true,
        _ => errors.Add("include", $"'{text}' can't be included; expected of deal_count"),
    };

    /// <summary>Reads whether to count deals; that takes the scope to read them.</summary>
    private static bool WithCount(Call call)
    {
        if (!call.Query.Is(include)) return false;
        return call.CheckCanRead(["deal"]) is { } forbidden ? throw new RefusedException(forbidden) : true;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> Attributes(Call call, Stage stage, string pipelineId, bool count) => count
        ? stage.Attributes(pipelineId, await Pipeline.CountDeals(stage.Id, call.Caller.Store, call.Aborted))
        : stage.Attributes(pipelineId);

    private static IReadOnlyList<Stage> StagesOf(StoredRecord pipeline) => Pipeline.StagesOf(Record.Load(Pipeline.Schema, pipeline));

    private static Error? CheckId(string stageId) => Ids.IsId(stageId, Stage.Prefix) ? null : Error.Invalid("stage_id", Ids.Expected(Stage.Prefix));

    private static Error? Precondition(Change change, string stageId, long? ifVersion)
    {
        if (Pipeline.StagesOf(change.Before!).FirstOrDefault(s => s.Id == stageId) is not { } stage) return Error.NotFound(Noun, stageId);
        return ifVersion is null || ifVersion == stage.Version ? null : Error.PreconditionFailed(stage.Version);
    }

    private static Outcome Found(Stage stage, string pipelineId) =>
        new Outcome.Found(Shown(stage, pipelineId));

    private static Outcome Created(Stage stage, string pipelineId) =>
        new Outcome.Created(Shown(stage, pipelineId), $"pipelines/{pipelineId}/stages/{stage.Id}");

    private static Resource Shown(Stage stage, string pipelineId) => new(Type, stage.Id, stage.Attributes(pipelineId), stage.Version);
}
