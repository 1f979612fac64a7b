using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>Retries a failed call according to its options. The delays are durable timers of the orchestration.</summary>
internal static class Retries
{
    public static Task<T> Run<T>(Orchestration orchestration, TaskRetryOptions? options, Func<Task<T>> call) => options switch
    {
        { Policy: { } policy } => ByPolicy(orchestration, policy, call),
        { Handler: { } handler } => ByHandler(orchestration, handler, call),
        _ => call(),
    };

    /// <summary>Computes the delay after a number of failed attempts: first interval × coefficient^(attempts − 1), at most the maximum interval.</summary>
    internal static TimeSpan Delay(RetryPolicy policy, int failedAttempts)
    {
        var maxLength = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(3650) : policy.MaxRetryInterval;
        var milliseconds = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, failedAttempts - 1);
        return milliseconds < maxLength.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : maxLength;
    }

    private static async Task<T> ByPolicy<T>(Orchestration orchestration, RetryPolicy policy, Func<Task<T>> call)
    {
        var started = orchestration.CurrentUtcDateTime;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (TaskFailedException e) when (IsRetried(e, attempt))
            {
                await orchestration.CreateTimer(Delay(policy, attempt), CancellationToken.None);
            }
        }

        bool IsRetried(TaskFailedException e, int attempt) =>
            attempt < policy.MaxNumberOfAttempts
            && !Failures.IsUnknownFunction(e.FailureDetails)
            && (policy.RetryTimeout == Timeout.InfiniteTimeSpan || orchestration.CurrentUtcDateTime - started < policy.RetryTimeout)
            && policy.Handle(Failures.ForPolicy(e.FailureDetails));
    }

    private static async Task<T> ByHandler<T>(Orchestration orchestration, AsyncRetryHandler handler, Func<Task<T>> call)
    {
        var started = orchestration.CurrentUtcDateTime;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (TaskFailedException e) when (!Failures.IsUnknownFunction(e.FailureDetails))
            {
                var context = new RetryContext(orchestration, attempt, e.FailureDetails, orchestration.CurrentUtcDateTime - started, CancellationToken.None);
                if (!await handler(context)) throw;
            }
        }
    }
}
