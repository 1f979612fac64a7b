using System.Text.Json;
using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>An orchestrator did something else than its history says, or awaited something that is not durable. The orchestration fails.</summary>
public sealed class NonDeterminismException(string message) : Exception(message);

/// <summary>An orchestrator or activity was called by a name nobody registered. Never retried.</summary>
public sealed class UnknownFunctionException(string message) : Exception(message);

internal static class Failures
{
    private static readonly string Unknown = typeof(UnknownFunctionException).ToString();

    /// <summary>As <see cref="TaskFailureDetails.FromException"/>; a failed call keeps the failure of what it called as its inner one.</summary>
    public static TaskFailureDetails Of(Exception e) => new(e.GetType().ToString(), e.Message, e.StackTrace, CauseOf(e), null);

    public static bool IsUnknownFunction(TaskFailureDetails failure) => failure.ErrorType == Unknown;

    /// <summary>The failure as a <see cref="RetryPolicy"/> takes it: its HandleFailure reads no other exceptions than those of DurableTask.Core.</summary>
    public static Exception ForPolicy(TaskFailureDetails failure) =>
        new DurableTask.Core.Exceptions.TaskFailedException(failure.ErrorMessage) { FailureDetails = ToCore(failure) };

    public static string Write(TaskFailureDetails failure) => JsonSerializer.Serialize(failure);

    public static TaskFailureDetails Read(string failure) => JsonSerializer.Deserialize<TaskFailureDetails>(failure)!;

    private static TaskFailureDetails? CauseOf(Exception e) => e switch
    {
        { InnerException: { } inner } => Of(inner),
        TaskFailedException failed => failed.FailureDetails,
        _ => null,
    };

    private static DurableTask.Core.FailureDetails? ToCore(TaskFailureDetails? failure) => failure is null
        ? null
        : new(failure.ErrorType, failure.ErrorMessage, failure.StackTrace, ToCore(failure.InnerFailure), isNonRetriable: false);
}
