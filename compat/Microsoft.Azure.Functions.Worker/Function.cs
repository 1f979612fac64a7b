namespace Microsoft.Azure.Functions.Worker
{
    /// <summary>Marks a public method as a function. Names are unique within an app.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public class FunctionAttribute(string name) : Attribute
    {
        public string Name { get; } = name;
    }

    /// <summary>Has the Functions host run a function again that threw, on the same trigger, before it goes on. Without one a batch of a change feed that failed is passed over.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    public abstract class RetryAttribute : Attribute
    {
        public RetryAttribute()
        {
        }

        /// <summary>-1 is without end.</summary>
        public int MaxRetryCount { get; set; }
    }

    /// <summary>With waits that grow from the one to the other, each <c>hh:mm:ss</c>.</summary>
    public sealed class ExponentialBackoffRetryAttribute : RetryAttribute
    {
        public ExponentialBackoffRetryAttribute(int maxRetryCount, string minimumInterval, string maximumInterval) =>
            (MaxRetryCount, MinimumInterval, MaximumInterval) = (maxRetryCount, minimumInterval, maximumInterval);

        public string MinimumInterval { get; }

        public string MaximumInterval { get; }
    }
}

namespace Microsoft.Azure.Functions.Worker.Extensions.Abstractions
{
    [AttributeUsage(AttributeTargets.Parameter)]
    public abstract class BindingAttribute : Attribute
    {
        public BindingAttribute()
        {
        }
    }

    /// <summary>What makes a function run. A function has exactly one.</summary>
    public abstract class TriggerBindingAttribute : BindingAttribute
    {
        public TriggerBindingAttribute()
        {
        }
    }

    /// <summary>What a function is given besides its trigger.</summary>
    public abstract class InputBindingAttribute : BindingAttribute
    {
        public InputBindingAttribute()
        {
        }
    }
}
