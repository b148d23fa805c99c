# DCRNN at full size: two layers of 64 units, at most 100 passes, stops early (Li et al. 2018).
#
# Forecasts 12 steps of every sensor from the 12 before. Of a series with several features, say which
# one: target='PM2.5'. A number that stands for "no value" goes into missing: missing=[0]. The learning
# rate is that of traffic speed; air pollution was learnt with 1e-3. On a CPU: dcrnn-small.

epochs = 100

model = dict(
    type='Forecaster',
    backbone=dict(type='DCRNN', cell='gru', units=64, layers=2, steps=2, walks=2),
    loss=dict(type='MaskedL1Loss'),
    truth_decay=2000)

train_dataloader = dict(
    batch_size=64,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='VemlWindows', past=12, ahead=12, stride=1, target=None))

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=0.01, eps=0.001), clip_grad=dict(max_norm=5))
param_scheduler = [
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=epochs, milestones=[20, 30, 40, 50], gamma=0.1),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=1)
custom_hooks = [
    dict(type='EarlyStoppingHook', monitor='MAE', rule='less', min_delta=0.0, patience=10),
]
default_scope = 'mmengine'
