using Microsoft.AspNetCore.Http;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Storage;
using NodeStash.Functions.Api.Http;

namespace NodeStash.Functions.Api.V1;

/// <summary>What the rotation of an API key and that of a signing secret have in common.</summary>
internal static class SecretRotation
{
    private static readonly IntegerField graceSeconds = new("grace_seconds", 0, (long)TimeSpan.FromDays(7).TotalSeconds)
    {
        Default = (long)TimeSpan.FromDays(1).TotalSeconds, Description = "How long the secret before goes on working.", Example = "3600",
    };

    private static readonly Form form = new(graceSeconds);

    public static Operation Of(Schema schema, string name, string verb) => new()
    {
        Name = name,
        Method = "POST",
        Route = $"v1/{schema.Collection}/{{id}}/{verb}",
        Summary = $"Give the {schema.Noun} a new secret, which is answered once.",
        Scopes = [Scope.Writing(schema.Scopes)],
        Parameters = [Parameter.DryRun],
        Body = form,
        IsBodyOptional = true,
        Answers = [new Success(StatusCodes.Status200OK, schema.EnvelopeType) { Attributes = RecordOperation.Shown(schema) }],
        OwnErrors = [ErrorCode.Conflict, ErrorCode.UnprocessableEntity],
    };

    /// <param name="schema">Of which resource.</param>
    /// <param name="record">As it is stored.</param>
    /// <param name="secret">The new one; null where it was only tried.</param>
    public static Outcome Done(Schema schema, StoredRecord record, string? secret) => new Outcome.Found(Resource.Of(schema, record).With(secret));

    /// <summary>How long the secret before goes on working.</summary>
    public static async ValueTask<Result<TimeSpan>> Grace(Call call)
    {
        var given = await call.Read();
        return given.Error is { } error ? error : TimeSpan.FromSeconds((long)given.Value[graceSeconds]!);
    }
}
