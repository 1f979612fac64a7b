using System.Text.Json;
using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>An orchestrator did not match its history, or awaited a task that is not durable. The orchestration fails.</summary>
public sealed class NonDeterminismException(string message) : Exception(message);

/// <summary>An orchestrator or activity was called by a name that is not registered. Never retried.</summary>
public sealed class UnknownFunctionException(string message) : Exception(message);

/// <summary>Converts exceptions to the failure details that the history stores.</summary>
internal static class Failures
{
    private static readonly string Unknown = typeof(UnknownFunctionException).ToString();

    /// <summary>
    /// Converts an exception as <see cref="TaskFailureDetails.FromException"/> does. The inner failure of a failed call is that of the called function.
    /// </summary>
    public static TaskFailureDetails FromException(Exception e) => new(e.GetType().ToString(), e.Message, e.StackTrace, CauseOf(e), null);

    public static bool IsUnknownFunction(TaskFailureDetails failure) => failure.ErrorType == Unknown;

    /// <summary>Converts a failure for <see cref="RetryPolicy.HandleFailure"/>, which reads exceptions of DurableTask.Core only.</summary>
    public static Exception ForPolicy(TaskFailureDetails failure) =>
        new DurableTask.Core.Exceptions.TaskFailedException(failure.ErrorMessage) { FailureDetails = ToCore(failure) };

    public static string Write(TaskFailureDetails failure) => JsonSerializer.Serialize(failure);

    public static TaskFailureDetails Read(string failure) => JsonSerializer.Deserialize<TaskFailureDetails>(failure)!;

    private static TaskFailureDetails? CauseOf(Exception e) => e switch
    {
        { InnerException: { } inner } => FromException(inner),
        TaskFailedException failed => failed.FailureDetails,
        _ => null,
    };

    private static DurableTask.Core.FailureDetails? ToCore(TaskFailureDetails? failure) => failure is null
        ? null
        : new(failure.ErrorType, failure.ErrorMessage, failure.StackTrace, ToCore(failure.InnerFailure), isNonRetriable: false);
}
